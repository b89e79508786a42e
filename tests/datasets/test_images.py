import gzip
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from augbench.datasets import MissingDataError, make
from augbench.datasets.images import MnistDataset, read_idx
from augbench.datasets.sources import sources
from augbench.errors import InputError


def idx(values: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sizes + values.astype(np.uint8).tobytes()


@pytest.mark.parametrize("name", ["a.gz", "a-ubyte"])
def test_read_idx(tmp_path: Path, name: str) -> None:
    values = np.arange(24).reshape(2, 3, 4) * 10
    path = tmp_path / name
    path.write_bytes(gzip.compress(idx(values)) if name == "a.gz" else idx(values))
    np.testing.assert_array_equal(read_idx(path), values)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a", b"", "no IDX file of bytes .it begins with nothing"),
        ("a", b"<html>", "no IDX file of bytes .it begins with 3c 68 74 6d"),
        ("a", bytes([0, 0, 13, 1]) + bytes(8), "no IDX file of bytes"),  # 13: float
        ("a", bytes([0, 0, 8, 0]), "no IDX file of bytes"),
        ("a", bytes([0, 0, 8, 3]) + bytes(4), "no IDX file of bytes"),
        ("a", idx(np.zeros((2, 5)))[:-1], "the header announces 22 bytes, there are 21"),
        ("a", idx(np.zeros((2, 5))) + b"x", "the header announces 22 bytes, there are 23"),
        ("a", bytes([0, 0, 8, 2]) + b"\xff" * 8, "announces 18446744065119617037 bytes, there are 12"),
        ("a.gz", gzip.compress(idx(np.ones(500)), mtime=0)[:-12], "cannot be read"),
        ("a.gz", idx(np.ones(5)), "cannot be read: Not a gzipped file"),
        ("absent", None, "cannot be read"),
    ],
)
def test_wrong_idx_files(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=words) as error:
        read_idx(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_columns_are_the_pixels_row_by_row(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (5, 28, 28)), np.array([3, 0, 9, 3, 1])
    arrays = {"train-i.gz": images[:3], "train-l.gz": labels[:3], "t10k-i.gz": images[3:], "t10k-l.gz": labels[3:]}
    files = {}
    (cache / "mnist").mkdir(parents=True)
    for name, values in arrays.items():
        (cache / "mnist" / name).write_bytes(gzip.compress(idx(values)))
        files[name] = hashlib.sha256(idx(values)).hexdigest()
    counts = tuple(np.bincount(labels, minlength=10).tolist())
    monkeypatch.setitem(sources(), "mnist", replace(sources()["mnist"], files=files, rows=5, class_counts=counts))
    table = MnistDataset().load()
    assert table.y.tolist() == labels.tolist()
    assert table.y.dtype == np.int64
    assert set(table.X.dtypes) == {np.dtype(np.float64)}
    assert table.X.loc[4, "p30"] == images[4, 1, 2]
    np.testing.assert_array_equal(table.X.to_numpy(), images.reshape(5, -1))
    (cache / "mnist" / "t10k-l.gz").write_bytes(gzip.compress(idx(labels)))
    with pytest.raises(InputError, match="is not the expected file of 'mnist'"):
        MnistDataset().load()


def test_facts_are_known_without_the_files(cache: Path) -> None:
    every, test = make("mnist").info, make("mnist", rows="test").info
    assert (every.n_rows, test.n_rows, every.n_numeric, every.group) == (70_000, 10_000, 784, "images")
    assert every.classes == tuple("0123456789")
    assert len({every.content_hash, test.content_hash}) == 2
    with pytest.raises(MissingDataError, match=r"bench datasets fetch mnist.*holds mnist/train-images-idx3-ubyte\.gz"):
        make("mnist").check_present()  # type: ignore[attr-defined]
    with pytest.raises(MissingDataError, match=r"bench datasets fetch mnist.*holds mnist/t10k-images-idx3-ubyte\.gz"):
        make("mnist", rows="test").load()  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="rows must be 'all' or 'test', not 'train'"):
        make("mnist", rows="train")


def test_the_real_files(real_data: Path) -> None:
    if not (real_data / "mnist").is_dir():
        pytest.skip(f"no MNIST files in {real_data}")
    dataset = MnistDataset("test")
    dataset.check_present()
    table = dataset.load()
    assert table.X.shape == (10_000, 784)
    assert table.y[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    # mean and deviation of the pixels, as published for the test digits: 0.1325 and 0.3105 of 255
    assert table.X.to_numpy().mean() / 255 == pytest.approx(0.1325, abs=5e-5)
    assert table.X.to_numpy().std() / 255 == pytest.approx(0.3105, abs=5e-5)
    MnistDataset().check_present()  # train-images there is not compressed like the canonical file
    labels = read_idx(real_data / "mnist" / "train-labels-idx1-ubyte.gz")
    counts = np.bincount(labels, minlength=10) + np.array(dataset.info.class_counts)
    assert tuple(counts.tolist()) == MnistDataset().info.class_counts
