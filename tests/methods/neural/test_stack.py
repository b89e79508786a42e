import numpy as np
import pytest
import torch
from augbench.methods.neural.batches import Rows, Source
from augbench.methods.neural.stack import (
    Batch,
    Hidden,
    Linear,
    Noise,
    bernoulli_nll,
    class_nll,
    flatten,
    gaussian_kl,
    gaussian_nll,
    group_nll,
)
from augbench.methods.neural.training import Schedule, TrainingSet
from torch import distributions, nn

R, ROWS = 4, 6


def generators(seed=0):
    return [np.random.default_rng([seed, r]) for r in range(R)]


def normal(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def test_linear_is_an_affine_map_of_each_replicate():
    layer = Linear(generators(), 3, 5)
    with torch.no_grad():
        layer.bias += normal(R, 5, 1)
    x = normal(R, 3, ROWS)
    for r in range(R):
        expected = nn.functional.linear(x[r].T, layer.weight[r], layer.bias[r, :, 0])
        torch.testing.assert_close(layer(x)[r].T, expected, rtol=1e-13, atol=1e-13)


def test_initial_weights_are_glorots_and_each_replicates_own():
    layer = Linear(generators(), 30, 90, gates=3)
    limit = np.sqrt(6 / (30 + 30))
    assert layer.weight.shape == (R, 90, 30)
    assert 0.99 * limit < layer.weight.abs().max() <= limit
    assert layer.weight.std().item() == pytest.approx(limit / np.sqrt(3), rel=0.02)
    assert (layer.bias == 0).all()
    assert len({one.sum().item() for one in layer.weight}) == R
    alone = Linear(generators()[2:3], 30, 90, gates=3)
    assert torch.equal(alone.weight[0], layer.weight[2])


def test_hidden_layers():
    hidden = Hidden(generators(), 3, [5, 2])
    x = normal(R, 3, ROWS)
    first, second = hidden.layers
    torch.testing.assert_close(hidden(x), second(first(x).clamp(min=0)).clamp(min=0))
    assert hidden(x).shape == (R, 2, ROWS)


def test_flatten_makes_views():
    network = Hidden(generators(), 3, [5, 2])
    before = [one.detach().clone() for one in network.parameters()]
    flat = flatten(network)
    assert flat.numel() == sum(one.numel() for one in before)
    for one, was in zip(network.parameters(), before, strict=True):
        assert torch.equal(one, was)
    network(normal(R, 3, ROWS)).square().sum().backward()
    assert torch.equal(flat.grad, torch.cat([one.grad.reshape(-1) for one in network.parameters()]))
    assert flat.grad.abs().max() > 0
    with torch.no_grad():
        flat += 1
    for one, was in zip(network.parameters(), before, strict=True):
        assert torch.equal(one, was + 1)


def test_kl_and_likelihoods_are_those_of_torch_distributions():
    mean, log_var, x = normal(R, 3, ROWS), normal(R, 3, ROWS, seed=1), normal(R, 3, ROWS, seed=2)
    prior = distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    posterior = distributions.Normal(mean, (0.5 * log_var).exp())
    close = {"rtol": 1e-12, "atol": 1e-12}
    torch.testing.assert_close(
        gaussian_kl(mean, log_var), distributions.kl_divergence(posterior, prior).sum(dim=1), **close
    )
    torch.testing.assert_close(gaussian_nll(x, mean, 0.5 * log_var), -posterior.log_prob(x).sum(dim=1), **close)
    pixels = (x > 0).double()
    torch.testing.assert_close(
        bernoulli_nll(pixels, mean), -distributions.Bernoulli(logits=mean).log_prob(pixels).sum(dim=1), **close
    )
    logits, groups = normal(R, 9, ROWS), [slice(2, 5), slice(5, 9)]
    codes = [torch.from_numpy(np.random.default_rng(k).integers(k, size=(R, ROWS))) for k in (3, 4)]
    hot = torch.zeros(R, 9, ROWS, dtype=torch.float64)
    expected = torch.zeros(R, ROWS, dtype=torch.float64)
    for group, code in zip(groups, codes, strict=True):
        hot[:, group] = nn.functional.one_hot(code, group.stop - group.start).transpose(1, 2).double()
        expected -= distributions.Categorical(logits=logits[:, group].transpose(1, 2)).log_prob(code)
    torch.testing.assert_close(group_nll(hot, logits, groups), expected, **close)
    torch.testing.assert_close(
        class_nll(logits[:, 2:5], codes[0]),
        -distributions.Categorical(logits=logits[:, 2:5].transpose(1, 2)).log_prob(codes[0]),
        **close,
    )


def test_mean_leaves_padding_out_even_if_it_is_no_number():
    x, y = torch.zeros(2, 1, 3), torch.zeros(2, 3, dtype=torch.int64)
    values = torch.tensor([[1.0, 3.0, torch.nan], [4.0, torch.inf, torch.nan]])
    weight = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    assert Batch(x, y, {}, weight).mean(values).tolist() == [2.0, 4.0]
    assert Batch(x, y).mean(values.nan_to_num(8.0, posinf=0.0)).tolist() == [4.0, 4.0]


def test_rows_run_through_one_permutation_after_the_other_however_many_are_taken():
    pool = np.array([3, 5, 5, 8])
    at_once = Rows(np.random.default_rng(0), pool).take(40)
    assert (np.sort(at_once.reshape(10, 4), axis=1) == pool).all()
    assert len({tuple(one) for one in at_once.reshape(10, 4)}) > 3
    rows = Rows(np.random.default_rng(0), pool)
    assert np.concatenate([rows.take(count) for count in (1, 6, 3, 9, 2, 19)]).tolist() == at_once.tolist()


NOISES = {
    "latent": Noise(3),
    "one": Noise(2, shared=True),
    "half": Noise(5, "keep"),
    "tenth": Noise(5, "keep", rate=26 / 256),
}


def batches_of(sets, schedule, steps=70):
    return list(Source(sets, NOISES, schedule).batches(steps))


def some_sets(sizes=(9, 20, 7)):
    rng = np.random.default_rng(0)
    return [
        TrainingSet(rng.random((n, 2)) + 10 * r, rng.integers(3, size=n), seed=r + 2**40) for r, n in enumerate(sizes)
    ]


def test_batches_are_rows_of_their_own_set_with_their_labels():
    sets = some_sets()
    batches = batches_of(sets, Schedule(70, 5, dtype="float64"))
    assert len(batches) == 70
    for r, one in enumerate(sets):
        where = {tuple(row): i for i, row in enumerate(one.x)}
        rows = np.array([where[tuple(row)] for batch in batches for row in batch.x[r].T.tolist()])
        labels = torch.cat([batch.y[r] for batch in batches]).numpy()
        assert (labels == one.y[rows]).all()
        epochs = rows[: len(rows) // len(one.x) * len(one.x)].reshape(-1, len(one.x))
        assert (np.sort(epochs, axis=1) == np.arange(len(one.x))).all()


def test_noise_is_normal_or_a_mask_of_the_rate():
    batches = batches_of(some_sets(), Schedule(400, 16), steps=400)
    assert batches[0].noise["one"].shape == (3, 2, 1)
    assert batches[0].noise["latent"].shape == (3, 3, 16)
    assert batches[0].x.dtype == batches[0].noise["half"].dtype == torch.float32
    for name in ("latent", "one"):
        values = torch.stack([batch.noise[name] for batch in batches])
        assert abs(values.mean()) < 0.1
        assert abs(values.std() - 1) < 0.05
        assert abs(np.corrcoef(values.transpose(0, 1).reshape(3, -1))[0, 1]) < 0.1
    for name, kept in (("half", 0.5), ("tenth", 230 / 256)):
        values = torch.stack([batch.noise[name] for batch in batches])
        assert values.unique().tolist() == pytest.approx([0, 1 / kept])
        assert (values > 0).double().mean().item() == pytest.approx(kept, abs=0.01)
        assert values.mean().item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("batch_size", [1, 5, 21])
def test_what_a_replicate_draws_is_its_seeds_alone(monkeypatch, batch_size):
    from augbench.methods.neural import batches as module

    schedule = Schedule(70, batch_size)
    sets = some_sets()
    together = batches_of(sets, schedule)
    # alone, and drawn for another number of steps at once: 5 · 21 mask bytes a step are no multiple of four
    monkeypatch.setattr(module, "NUMBERS_AHEAD", 3 * batch_size * 15)
    for r, one in enumerate(sets):
        for mine, theirs in zip(batches_of([one], schedule), together, strict=True):
            assert torch.equal(mine.x[0], theirs.x[r])
            assert torch.equal(mine.y[0], theirs.y[r])
            for name in NOISES:
                assert torch.equal(mine.noise[name][0], theirs.noise[name][r])


def test_each_kind_of_randomness_has_a_generator_of_its_own():
    one = some_sets()[:1]
    batch = batches_of(one, Schedule(1, 16), steps=1)[0]
    without = next(Source(one, {"latent": Noise(3)}, Schedule(1, 16)).batches(1))
    assert torch.equal(batch.x, without.x)
    assert torch.equal(batch.noise["latent"], without.noise["latent"])
    twins = {"one": Noise(5), "other": Noise(5), "mask": Noise(5, "keep"), "other mask": Noise(5, "keep")}
    noise = next(Source(one, twins, Schedule(1, 400)).batches(1)).noise
    for a, b in (("one", "other"), ("mask", "other mask")):
        assert abs(np.corrcoef(noise[a].reshape(-1), noise[b].reshape(-1))[0, 1]) < 0.1
