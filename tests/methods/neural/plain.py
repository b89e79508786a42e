"""The networks of `augbench.methods.neural.networks` written again: one network, `nn.Linear`, rows first.

Random numbers are handed in; distributions come from `torch.distributions`. Modules are registered in the order of the
stacked networks, so that weights can be copied one by one.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, distributions, nn
from torch.nn import functional


def hidden_layers(widths: list[int]) -> nn.Sequential:
    layers = [nn.Linear(a, b) for a, b in pairwise(widths)]
    return nn.Sequential(*[module for layer in layers for module in (layer, nn.ReLU())])


class PlainVAE(nn.Module):
    """A VAE, or with `told` > 0 a CVAE; `likelihood` as in `Shape`."""

    def __init__(self, n_numeric, groups, latent_dim, hidden, likelihood="gaussian", told=0, beta=1.0):
        super().__init__()
        self.n_numeric, self.groups, self.likelihood, self.told, self.beta = n_numeric, groups, likelihood, told, beta
        width = n_numeric + sum(groups)
        if likelihood == "gaussian":
            self.log_sd = nn.Parameter(torch.empty(n_numeric))
        self.encoder = hidden_layers([width + told, *hidden])
        self.mean = nn.Linear(hidden[-1], latent_dim)
        self.log_var = nn.Linear(hidden[-1], latent_dim)
        self.decoder = hidden_layers([latent_dim + told, *hidden[::-1]])
        self.output = nn.Linear(hidden[0], width)

    def tell(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.cat([x, functional.one_hot(y, self.told).to(x)], dim=1) if self.told else x

    def numeric(self, out: Tensor) -> distributions.Distribution:
        if self.likelihood == "gaussian":
            return distributions.Normal(out, self.log_sd.exp().clamp(min=0.01))
        return distributions.Bernoulli(logits=out)

    def reconstruction(self, x: Tensor, out: Tensor) -> Tensor:
        n = self.n_numeric
        if self.likelihood == "mse":
            loss = ((x[:, :n] - out[:, :n].sigmoid()) ** 2).sum(dim=1)
        elif self.likelihood == "bernoulli":
            loss = functional.binary_cross_entropy(out[:, :n].sigmoid(), x[:, :n], reduction="none").sum(dim=1)
        else:
            loss = -self.numeric(out[:, :n]).log_prob(x[:, :n]).sum(dim=1)
        for group, target in zip(out[:, n:].split(self.groups, 1), x[:, n:].split(self.groups, 1), strict=True):
            loss = loss - distributions.OneHotCategorical(logits=group).log_prob(target)
        return loss

    def losses(self, x: Tensor, y: Tensor, noise: dict[str, Tensor]) -> dict[str, Tensor]:
        hidden = self.encoder(self.tell(x, y))
        posterior = distributions.Normal(self.mean(hidden), (0.5 * self.log_var(hidden)).exp())
        z = posterior.mean + posterior.stddev * noise["latent"]
        reconstruction = self.reconstruction(x, self.output(self.decoder(self.tell(z, y)))).mean()
        kl = distributions.kl_divergence(posterior, distributions.Normal(0.0, 1.0)).sum(dim=1).mean()
        return {"loss": reconstruction + self.beta * kl, "reconstruction": reconstruction, "kl": kl}


class PlainPredictiveVAE(PlainVAE):
    def __init__(self, n_numeric, groups, latent_dim, hidden, weights, n_classes):
        super().__init__(n_numeric, groups, latent_dim, hidden, "mse")
        self.weights = weights
        self.head = nn.Linear(n_numeric + sum(groups), n_classes)

    def row(self, z: Tensor) -> Tensor:
        out = self.output(self.decoder(z))
        parts = [out[:, : self.n_numeric].sigmoid()]
        parts += [group.softmax(dim=1) for group in out[:, self.n_numeric :].split(self.groups, 1) if self.groups]
        return torch.cat(parts, dim=1)

    def total(self, reconstruction, kl, prediction, accuracy) -> dict[str, Tensor]:
        loss = self.weights[0] * reconstruction + self.weights[1] * kl + self.weights[2] * prediction
        return {
            "loss": loss,
            "reconstruction": reconstruction,
            "kl": kl,
            "prediction": prediction,
            "accuracy": accuracy.double().mean(),
        }

    def losses(self, x: Tensor, y: Tensor, noise: dict[str, Tensor]) -> dict[str, Tensor]:
        hidden = self.encoder(x)
        posterior = distributions.Normal(self.mean(hidden), (0.5 * self.log_var(hidden)).exp())
        row = self.row(posterior.mean + posterior.stddev * noise["latent"])
        kl = distributions.kl_divergence(posterior, distributions.Normal(0.0, 1.0)).sum(dim=1).mean()
        scores = self.head(row)
        prediction = functional.cross_entropy(scores, y)
        return self.total(functional.mse_loss(row, x), kl, prediction, scores.argmax(dim=1) == y)


class PlainPublished(PlainPredictiveVAE):
    """SPEC section 7, read literally."""

    def __init__(self, n_numeric, latent_dim, hidden, weights):
        super().__init__(n_numeric, (), latent_dim, hidden, weights, 1)

    def losses(self, x: Tensor, y: Tensor, noise: dict[str, Tensor]) -> dict[str, Tensor]:
        first, second = self.encoder[0], self.encoder[2]
        h1 = functional.relu(first(x)) * noise["dropout 1"]
        h2 = functional.relu(second(h1))
        z_mean, z_log_var = self.mean(h2 * noise["dropout 2"]), self.log_var(h2)
        z = z_mean + torch.exp(z_log_var) * (0.1 * noise["latent"])
        row = self.row(z)
        kl = -0.5 * torch.mean(1 + z_log_var - z_mean**2 - torch.exp(z_log_var))
        p = self.head(row)[:, 0].sigmoid()
        prediction = functional.binary_cross_entropy(p, y.to(p))
        return self.total(functional.mse_loss(row, x), kl, prediction, (p > 0.5) == (y == 1))


def copy_of(network: nn.Module, r: int, plain: nn.Module) -> nn.Module:
    """Give a plain network the weights of replicate `r` of a stack."""
    plain = plain.double()
    with torch.no_grad():
        for (name, mine), (other, stacked) in zip(plain.named_parameters(), network.named_parameters(), strict=True):
            assert name.rpartition(".")[2] == other.rpartition(".")[2]
            mine.copy_(stacked[r].reshape(mine.shape))
    return plain


def rows_first(noise: dict[str, Tensor], r: int) -> dict[str, Tensor]:
    """Return the noise of replicate `r`, rows first; a shared column stays one row."""
    return {name: values[r].T for name, values in noise.items()}
