"""Loss and gradients of every stacked network against plain modules and `torch.distributions`."""

import numpy as np
import pytest
import torch
from augbench.methods.neural.batches import still
from augbench.methods.neural.networks import VAE, PredictiveVAE, PublishedPredictiveVAE, Shape
from augbench.methods.neural.stack import Batch
from augbench.methods.neural.training import Schedule
from torch import distributions

R, ROWS = 3, 7
WEIGHTS = (1.3, -0.5, 0.7)


def cases():
    for likelihood in ("gaussian", "bernoulli", "mse"):
        for groups, told in (((), 0), ((3, 2), 0), ((3,), 4)):
            yield f"vae-{likelihood}-{groups}-{told}", VAE, (Shape(5, groups, 2, (6, 4), likelihood, told), 0.7)
    yield "vae-no-numbers", VAE, (Shape(0, (3, 2), 2, (6,)), 1.0)
    yield "predictive", PredictiveVAE, (Shape(5, (3, 2), 2, (6, 4), "mse"), WEIGHTS, 3)
    yield "predictive-numeric", PredictiveVAE, (Shape(5, (), 3, (6, 4), "mse"), WEIGHTS, 2)
    yield "published", PublishedPredictiveVAE, (Shape(10, (), 2, (10, 10), "mse"), WEIGHTS)


CASES = list(cases())


def build(network, args, seed=0):
    """A stack with biases and spreads that are not all the same."""
    stack = network([np.random.default_rng([seed, r]) for r in range(R)], *args)
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for one in stack.parameters():
            one += torch.from_numpy(0.2 * rng.standard_normal(one.shape))
    return stack


def plain_of(plain, network, args):
    shape = args[0]
    if network is VAE:
        return plain.PlainVAE(
            shape.n_numeric, shape.groups, shape.latent_dim, shape.hidden, shape.likelihood, shape.n_conditions, args[1]
        )
    if network is PredictiveVAE:
        return plain.PlainPredictiveVAE(shape.n_numeric, shape.groups, shape.latent_dim, shape.hidden, *args[1:])
    return plain.PlainPublished(shape.n_numeric, shape.latent_dim, shape.hidden, args[1])


def random_batch(network, shape, n_classes, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.random((R, shape.width, ROWS))
    for group in shape.slices:
        k = group.stop - group.start
        x[:, group] = np.eye(k)[rng.integers(k, size=(R, ROWS))].transpose(0, 2, 1)
    noise = {}
    for name, one in network.noises().items():
        size = (R, one.width, 1 if one.shared else ROWS)
        values = rng.standard_normal(size) if one.kind == "normal" else 2.0 * rng.integers(2, size=size)
        noise[name] = torch.from_numpy(values)
    return Batch(torch.from_numpy(x), torch.from_numpy(rng.integers(n_classes, size=(R, ROWS))), noise)


@pytest.mark.parametrize(("network", "args"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_loss_and_gradients_equal_a_plain_module_for_each_replicate(plain, network, args):
    stack = build(network, args)
    batch = random_batch(stack, args[0], 2 if network is not PredictiveVAE else args[2])
    parts = stack.losses(batch)
    parts["loss"].sum().backward()
    for r in range(R):
        one = plain.copy_of(stack, r, plain_of(plain, network, args))
        expected = one.losses(batch.x[r].T, batch.y[r], plain.rows_first(batch.noise, r))
        assert list(parts) == list(expected)
        for name, value in expected.items():
            assert parts[name][r].item() == pytest.approx(value.item(), rel=1e-12, abs=1e-14)
        expected["loss"].backward()
        for mine, stacked in zip(one.parameters(), stack.parameters(), strict=True):
            if stacked.numel():
                np.testing.assert_allclose(stacked.grad[r].reshape(mine.shape), mine.grad, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(("network", "args"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_padding_rows_count_for_nothing(network, args):
    stack = build(network, args)
    batch = random_batch(stack, args[0], 2 if network is not PredictiveVAE else args[2])
    whole = stack.losses(batch)
    noise = {
        name: values if values.shape[2] == 1 else torch.cat([values, torch.full_like(values[:, :, :2], torch.nan)], 2)
        for name, values in batch.noise.items()
    }
    padded = Batch(
        torch.cat([batch.x, torch.full((R, batch.x.shape[1], 2), torch.nan)], dim=2),
        torch.cat([batch.y, torch.zeros(R, 2, dtype=torch.int64)], dim=1),
        noise,
        torch.tensor([1.0] * ROWS + [0.0] * 2, dtype=torch.float64).expand(R, -1),
    )
    if network is VAE and args[0].likelihood == "bernoulli":
        padded.x.nan_to_num_(0.5)
    for name, values in stack.losses(padded).items():
        torch.testing.assert_close(values, whole[name], rtol=1e-12, atol=1e-14)


def test_elbo_is_the_log_density_where_the_decoder_ignores_the_latent_point():
    stack = VAE([np.random.default_rng(0)], Shape(3, (), 2, (4,)), beta=1.0)
    centre, log_sd = torch.tensor([0.1, 0.5, 0.9]).double(), torch.tensor([-1.0, -2.0, -9.0]).double()
    with torch.no_grad():
        for one in stack.parameters():
            one.zero_()
        stack.output.bias[0, :, 0] = centre
        stack.log_sd[0, :, 0] = log_sd
    x = torch.rand(1, 3, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    batch = Batch(x, torch.zeros(1, 50, dtype=torch.int64), {"latent": torch.ones(1, 2, 50, dtype=torch.float64)})
    # the standard deviation does not fall below 0.01
    density = distributions.Normal(centre, log_sd.exp().clamp(min=0.01)).log_prob(x[0].T).sum(dim=1)
    assert stack.losses(batch)["kl"].item() == 0
    assert stack.losses(batch)["loss"].item() == pytest.approx(-density.mean().item(), rel=1e-12)


def test_elbo_of_one_latent_dimension_bounds_the_evidence_and_meets_it_at_the_true_posterior():
    """x = a·relu(z) - a·relu(-z) + noise = a·z + noise: evidence and posterior are known."""
    a, sd, d = 0.6, 0.5, torch.float64
    stack = VAE([np.random.default_rng(0)], Shape(1, (), 1, (2,)), beta=1.0)
    variance = 1 / (1 + a**2 / sd**2)
    with torch.no_grad():
        stack.encoder.layers[0].weight[:] = torch.tensor([[[1.0], [-1.0]]], dtype=d)
        stack.mean.weight[:] = torch.tensor([[[1.0, -1.0]]], dtype=d) * variance * a / sd**2
        stack.log_var.weight.zero_()
        stack.log_var.bias.fill_(np.log(variance))
        stack.decoder.layers[0].weight[:] = torch.tensor([[[1.0], [-1.0]]], dtype=d)
        stack.output.weight[:] = torch.tensor([[[a, -a]]], dtype=d)
        stack.log_sd.fill_(np.log(sd))
    n = 200_000
    noise = torch.randn(1, 1, n, dtype=d, generator=torch.Generator().manual_seed(0))
    for x in (-1.3, 0.0, 0.7):
        batch = Batch(torch.full((1, 1, n), x, dtype=d), torch.zeros(1, n, dtype=torch.int64), {"latent": noise})
        evidence = distributions.Normal(0.0, np.hypot(a, sd)).log_prob(torch.tensor(x, dtype=d)).item()
        assert stack.losses(batch)["loss"].item() == pytest.approx(-evidence, abs=0.01)
        with torch.no_grad():
            stack.log_var.bias += 1.0
        assert stack.losses(batch)["loss"].item() > -evidence + 0.05
        with torch.no_grad():
            stack.log_var.bias -= 1.0


def test_rows_are_means_or_draws_and_probabilities():
    shape = Shape(2, (3,), 2, (4,), "gaussian")
    stack = VAE([np.random.default_rng(0)], shape, 1.0)
    with torch.no_grad():
        stack.log_sd[0, :, 0] = torch.tensor([-0.5, -20.0])
    z = np.zeros((4000, 2))
    mean = stack.rows(z, np.zeros(4000))
    drawn = stack.observed(mean, np.random.default_rng(0))
    np.testing.assert_allclose(mean[:, 2:].sum(axis=1), 1)
    assert (mean == mean[0]).all()
    np.testing.assert_array_equal(drawn[:, 2:], mean[:, 2:])
    np.testing.assert_allclose((drawn - mean)[:, :2].std(axis=0), [np.exp(-0.5), 0.01], rtol=0.05)
    for likelihood in ("bernoulli", "mse"):
        other = VAE([np.random.default_rng(0)], Shape(2, (3,), 2, (4,), likelihood), 1.0)
        means = other.rows(np.full((5, 2), 3.0), np.zeros(5))
        rows = other.observed(means, np.random.default_rng(0))
        assert ((rows > 0) & (rows < 1)).all()
        assert (rows == rows[0]).all()


def test_posterior_and_condition():
    shape = Shape(3, (), 2, (4,), n_conditions=2)
    stack = VAE([np.random.default_rng(0)], shape, 1.0)
    x = np.random.default_rng(1).random((5, 3))
    mean, sd = stack.posterior(x, np.zeros(5))
    told, _ = stack.posterior(x, np.ones(5))
    assert mean.shape == sd.shape == (5, 2)
    assert (sd > 0).all()
    assert not np.allclose(mean, told)
    tensors = torch.from_numpy(x.T)[None], torch.zeros(1, 5, dtype=torch.int64)
    expected, log_var = stack.encode(*tensors)
    np.testing.assert_allclose(mean, expected[0].T.detach(), rtol=1e-12)
    np.testing.assert_allclose(np.log(sd) * 2, log_var[0].T.detach(), rtol=1e-9, atol=1e-12)


def test_published_network_at_rest_and_its_reconstruction(plain):
    args = (Shape(10, (), 2, (10, 10), "mse"), WEIGHTS)
    stack = PublishedPredictiveVAE([np.random.default_rng(0)], *args)
    rng = np.random.default_rng(1)
    x, epsilon = rng.random((6, 10)), rng.standard_normal((6, 2))
    rows, scores = stack.reconstruct(x, epsilon)
    one = plain.copy_of(stack, 0, plain.PlainPublished(10, 2, (10, 10), WEIGHTS))
    with torch.no_grad():
        hidden = one.encoder(torch.from_numpy(x))
        z = one.mean(hidden) + one.log_var(hidden).exp() * 0.1 * torch.from_numpy(epsilon)
        expected = one.row(z)
        np.testing.assert_allclose(rows, expected, rtol=1e-12)
        np.testing.assert_allclose(scores, one.head(expected)[:, 0].sigmoid(), rtol=1e-12)
    rest = still(stack.noises(), 1, 6, Schedule(1, dtype="float64"))
    batch = Batch(torch.from_numpy(x.T.copy())[None], torch.zeros(1, 6, dtype=torch.int64), rest)
    at_rest, _ = stack.reconstruct(x, np.zeros((6, 2)))
    squared = stack.losses(batch)["reconstruction"].item()
    assert squared == pytest.approx(((x - at_rest) ** 2).mean(), rel=1e-12)


def test_accuracy_and_probabilities_of_the_head():
    stack = build(PredictiveVAE, (Shape(4, (), 2, (5,), "mse"), WEIGHTS, 3))
    one = PredictiveVAE([np.random.default_rng(0)], Shape(4, (), 2, (5,), "mse"), WEIGHTS, 3)
    rows = np.random.default_rng(0).random((6, 4))
    np.testing.assert_allclose(one.probabilities(rows).sum(axis=1), 1)
    logits = rows @ one.head.weight[0].T.detach().numpy() + one.head.bias[0, :, 0].detach().numpy()
    assert (one.probabilities(rows).argmax(axis=1) == logits.argmax(axis=1)).all()
    batch = random_batch(stack, Shape(4, (), 2, (5,)), 3)
    accuracy = stack.losses(batch)["accuracy"]
    assert ((accuracy * ROWS).round() / ROWS - accuracy).abs().max() < 1e-12
