"""The autoencoders' layers against torch's own, and windows against a plain loop."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from augbench.methods.neural.autoencoders import LSTM, Autoencoder, AutoencoderShape, LSTMAutoencoder  # noqa: E402
from augbench.methods.neural.stack import Batch  # noqa: E402
from augbench.methods.neural.windows import held_out, windows_of, windows_within  # noqa: E402


def generators(R, seed=0):
    return [np.random.default_rng([seed, r]) for r in range(R)]


def torch_lstm(layer, r):
    """torch's LSTM with the weights of one replicate."""
    n_in, n_out = layer.input.weight.shape[2], layer.n_out
    theirs = torch.nn.LSTM(n_in, n_out, dtype=torch.float64)
    pairs = zip(("ih", "hh"), (layer.input, layer.recurrent), strict=True)
    with torch.no_grad():
        for name, mine in pairs:
            getattr(theirs, f"weight_{name}_l0").copy_(mine.weight[r])
            getattr(theirs, f"bias_{name}_l0").copy_(mine.bias[r, :, 0])
    return theirs


def test_the_lstm_is_torchs_forward_and_backward():
    R, L, n_in, n_out, batch = 3, 7, 4, 5, 6
    layer = LSTM(generators(R), n_in, n_out)
    for one in layer.parameters():  # biases that are not all alike
        one.data += 0.3 * torch.from_numpy(np.random.default_rng(9).normal(size=one.shape))
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(R, L, n_in, batch))).requires_grad_()
    towards = torch.from_numpy(np.random.default_rng(2).normal(size=(R, L, n_out, batch)))
    out = torch.stack(layer(list(x.unbind(dim=1))), dim=1)
    (out * towards).sum().backward()
    for r in range(R):
        theirs = torch_lstm(layer, r)
        given = x.detach()[r].permute(0, 2, 1).clone().requires_grad_()
        expected, _ = theirs(given)
        (expected * towards[r].permute(0, 2, 1)).sum().backward()
        close = {"rtol": 0, "atol": 1e-12}
        torch.testing.assert_close(out[r].permute(0, 2, 1), expected, **close)
        torch.testing.assert_close(x.grad[r].permute(0, 2, 1), given.grad, **close)
        torch.testing.assert_close(layer.input.weight.grad[r], theirs.weight_ih_l0.grad, **close)
        torch.testing.assert_close(layer.recurrent.weight.grad[r], theirs.weight_hh_l0.grad, **close)
        torch.testing.assert_close(layer.input.bias.grad[r, :, 0], theirs.bias_ih_l0.grad, **close)
        torch.testing.assert_close(layer.recurrent.bias.grad[r, :, 0], theirs.bias_hh_l0.grad, **close)


def test_the_lstm_starts_with_open_forget_gates_and_glorots_limits():
    layer = LSTM(generators(2), 30, 20)
    bias = (layer.input.bias + layer.recurrent.bias).detach()[:, :, 0]
    assert torch.equal(bias, torch.tensor([0.0] * 20 + [1.0] * 20 + [0.0] * 40, dtype=bias.dtype).expand(2, -1))
    for weight, n_in in ((layer.input.weight, 30), (layer.recurrent.weight, 20)):
        limit = np.sqrt(6 / (n_in + 20))
        assert 0.98 * limit < weight.abs().max() < limit


def test_the_lstm_autoencoder_is_the_layers_of_torch():
    L, width = 4, 3
    network = LSTMAutoencoder(generators(2), AutoencoderShape(width, (6,), 5, L))
    x = np.random.default_rng(3).normal(size=(8, L * width))
    with torch.no_grad():
        out = network(torch.from_numpy(np.stack([x.T, x.T])))[1]
        steps = torch.from_numpy(x.reshape(8, L, width).transpose(1, 0, 2).copy())  # (L, batch, width)
        for layer in network.encoder:
            steps, _ = torch_lstm(layer, 1)(steps)
        steps = steps[-1:].expand(L, -1, -1)
        for layer in network.decoder:
            steps, _ = torch_lstm(layer, 1)(steps)
        expected = steps @ network.output.weight[1].T + network.output.bias[1, :, 0]
    np.testing.assert_allclose(out.T.reshape(8, L, width), expected.permute(1, 0, 2), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("cls", "shape"),
    [
        (Autoencoder, AutoencoderShape(5, (4, 3), 2)),
        (Autoencoder, AutoencoderShape(5, (), 2)),
        (LSTMAutoencoder, AutoencoderShape(5, (), 3, 4)),
    ],
)
def test_losses_and_errors_are_mean_squared_errors(cls, shape):
    network = cls(generators(1), shape)
    x = np.random.default_rng(4).normal(size=(7, shape.window * shape.width))
    given = torch.from_numpy(x.T.copy())[None]
    with torch.no_grad():
        squared = (x - network(given)[0].T.numpy()) ** 2
        weight = torch.tensor([[1.0, 1, 1, 0, 1, 1, 0]])
        losses = network.losses(Batch(given, torch.zeros(1, 7), weight=weight))
    errors = network.errors(x)
    assert errors.shape == (7, shape.window)
    np.testing.assert_allclose(errors, squared.reshape(7, shape.window, shape.width).mean(axis=2), atol=1e-12)
    np.testing.assert_allclose(losses["loss"].item(), squared[[0, 1, 2, 4, 5]].mean(), rtol=1e-7)


@pytest.mark.parametrize(
    ("cls", "shape"),
    [(Autoencoder, AutoencoderShape(5, (4,), 2)), (LSTMAutoencoder, AutoencoderShape(5, (4,), 2, 3))],
)
def test_replicates_do_not_see_each_other(cls, shape):
    x = torch.from_numpy(np.random.default_rng(5).normal(size=(3, shape.window * shape.width, 6)))
    network = cls(generators(3), shape)
    network.losses(Batch(x, torch.zeros(3, 6)))["loss"].sum().backward()
    alone = cls(generators(3)[1:2], shape)
    alone.losses(Batch(x[1:2], torch.zeros(1, 6)))["loss"].sum().backward()
    for mine, theirs in zip(network.parameters(), alone.parameters(), strict=True):
        torch.testing.assert_close(mine.grad[1:2], theirs.grad, rtol=0, atol=1e-14)


class TestWindows:
    def test_all_windows_of_interleaved_series(self):
        rng = np.random.default_rng(0)
        for _ in range(30):
            series, length = rng.integers(0, 4, size=int(rng.integers(1, 25))), int(rng.integers(1, 6))
            expected = []
            for one in np.unique(series):
                own = np.flatnonzero(series == one).tolist()
                own = [own[0]] * (length - len(own)) + own
                expected += [own[start : start + length] for start in range(len(own) - length + 1)]
            rows, full = windows_of(series, length)
            assert sorted(rows.tolist()) == sorted(expected)
            assert full.tolist() == [(series == series[window[0]]).sum() >= length for window in rows]
            assert set(rows.ravel()) == set(range(len(series)))
        assert windows_of(np.empty(0, dtype=int), 3)[0].shape == (0, 3)

    def test_windows_within_hold_allowed_neighbours_only(self):
        series = np.array(list("aaaaaaabbbb"))
        allowed = np.array([1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0], dtype=bool)
        assert windows_within(series, allowed, 3).tolist() == [[0, 1, 2], [4, 5, 6], [7, 8, 9]]
        # nowhere four in a row: the stretches are filled up in front
        assert windows_within(series, allowed, 4).tolist() == [[0, 0, 1, 2], [4, 4, 5, 6], [7, 7, 8, 9]]
        assert windows_within(series, np.zeros(11, dtype=bool), 4).shape == (0, 4)

    def test_whole_series_are_held_out(self):
        series = np.repeat(np.arange(20), 15)
        normal = np.flatnonzero(np.arange(300) % 15 < 12)
        picked = set()
        for seed in range(10):
            held = held_out(normal, series, 0.25, np.random.default_rng(seed))
            kept = np.setdiff1d(normal, held)
            assert not set(series[held]) & set(series[kept])
            assert len(held) == 60
            picked |= set(series[held])
        assert len(picked) > 12
        # the smallest series where all are larger than the share
        sizes = np.repeat([0, 1, 2], [50, 40, 60])
        assert set(sizes[held_out(np.arange(150), sizes, 0.1, np.random.default_rng(0))]) == {1}

    def test_rows_are_held_out(self):
        normal = np.arange(0, 80, 2)
        held = held_out(normal, None, 0.25, np.random.default_rng(0))
        assert len(held) == 10
        assert set(held) < set(normal)
        assert held.tolist() != held_out(normal, None, 0.25, np.random.default_rng(1)).tolist()
        assert held_out(normal, np.zeros(80), 0.25, np.random.default_rng(0)).tolist() == normal[-10:].tolist()
        assert len(held_out(normal[:2], None, 0.01, np.random.default_rng(0))) == 1
        assert len(held_out(normal[:2], None, 0.99, np.random.default_rng(0))) == 1
        assert len(held_out(normal[:1], None, 0.5, np.random.default_rng(0))) == 1
