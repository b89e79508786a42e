"""Which data augmentation, if any, helps on imbalanced and few-shot classification: a benchmark.

This module is the public face: what a notebook or a plugin imports. Nothing heavy is loaded until it is used.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

__version__ = version("augbench")

_PUBLIC = {
    "Adjuster": "augbench.methods.contract",
    "Augmenter": "augbench.methods.contract",
    "Dataset": "augbench.datasets.contract",
    "DatasetInfo": "augbench.datasets.contract",
    "Detector": "augbench.methods.contract",
    "FiniteDataset": "augbench.datasets.contract",
    "InputError": "augbench.errors",
    "Results": "augbench.leaderboard.results",
    "SamplerAugmenter": "augbench.methods.samplers",
    "SimulatedDataset": "augbench.datasets.contract",
    "SimulatedDraw": "augbench.datasets.contract",
    "Store": "augbench.bench.store",
    "Table": "augbench.datasets.contract",
    "augment": "augbench.bench.api",
    "compare": "augbench.bench.api",
    "results_of": "augbench.bench.report",
}

__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'augbench' has no attribute '{name}'")
