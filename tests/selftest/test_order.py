from itertools import count

from augbench.bench import augment
from augbench.datasets.files import FrameDataset
from augbench.selftest import order
from augbench.selftest.workbench import Workbench


def test_the_order_decides_nothing(bench, broken, monkeypatch):
    assert broken(order.check(bench)) == []

    # seeds that are counted in this process, but not in the stored runs of worker processes
    numbers, run = count(), bench.run
    monkeypatch.setattr(augment, "derive_seed", lambda *parts: next(numbers))
    monkeypatch.setattr(bench, "run", lambda name, **settings: run("counted" if name == "order" else name, **settings))
    assert len(broken(order._grid(bench))) == 4


def test_another_table_is_found(tmp_path, broken, monkeypatch):
    class Turned(FrameDataset):
        """The rows in another order, but not their classes."""

        def __init__(self, X, y, name):
            super().__init__(X, y.iloc[::-1].reset_index(drop=True) if name == "rows" else y, name)

    class Mixed(order.SameDraws):
        """One column in another order than the others."""

        def __init__(self, X, y, name, content_hash):
            super().__init__(X.assign(a=X["a"].to_numpy()[::-1]), y, name, content_hash)

    monkeypatch.setattr(order, "FrameDataset", Turned)
    monkeypatch.setattr(order, "SameDraws", Mixed)
    wrong = broken(order._own_table(Workbench(tmp_path, jobs=1, say=lambda line: None)))
    assert [claim.partition(" ")[0] for claim in wrong] == ["rows", "columns"]
    assert "held fixed" in wrong[1]
