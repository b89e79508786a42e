"""Faces from a folder in CelebA's layout: what is read, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from augbench.datasets import MissingDataError, make
from augbench.datasets.checks import check_dataset, present
from augbench.datasets.faces import read_image
from augbench.errors import InputError
from PIL import Image

NAMES = ("Male", "Smiling", "Young")


def faces(folder: Path, n: int = 6, kind: str = "txt", size: tuple[int, int] = (9, 11)) -> Path:
    """A folder in CelebA's layout; image i has grey i · 20 in its middle square, 255 above and below; i odd smiles."""
    images = folder / "img_align_celeba"
    images.mkdir(parents=True)
    width, height = size
    lines = []
    for i in range(n):
        pixels = np.full((height, width), 255, dtype=np.uint8)
        top = (height - width) // 2
        pixels[top : top + width] = i * 20
        Image.fromarray(pixels).save(images / f"{i:06d}.png")
        lines.append([f"{i:06d}.png", "-1", "1" if i % 2 else "-1", "1"])
    if kind == "txt":
        text = f"{n}\n{' '.join(NAMES)} \n" + "\n".join(f"{one[0]}  {' '.join(one[1:])}" for one in lines)
    else:
        text = "\n".join(",".join(one) for one in [["image_id", *NAMES], *lines])
    (folder / f"list_attr_celeba.{kind}").write_text(text + "\n")
    return folder


@pytest.mark.parametrize("kind", ["txt", "csv"])
def test_the_middle_square_of_each_image_and_its_attribute(tmp_path: Path, kind: str) -> None:
    dataset = make("faces", folder=str(faces(tmp_path / "f", kind=kind)), size=4)
    table = dataset.load()
    assert table.X.columns.tolist() == [f"p{i}" for i in range(16)]
    np.testing.assert_array_equal(table.X.to_numpy(), np.repeat(np.arange(6) * 20.0, 16).reshape(6, 16))
    assert table.y.tolist() == [0, 1, 0, 1, 0, 1]
    assert dataset.info.classes == ("not Smiling", "Smiling")
    check_dataset(dataset)


def test_colour_planes_stand_one_after_another_and_rows_are_the_first(tmp_path: Path) -> None:
    folder = faces(tmp_path / "f")
    red = np.zeros((9, 9, 3), dtype=np.uint8)
    red[..., 0] = 200
    Image.fromarray(red).save(folder / "img_align_celeba" / "000001.png")
    dataset = make("faces", folder=str(folder), size=3, rows=2, colour=True)
    X = dataset.load().X
    assert X.shape == (2, 27)
    assert X.columns[[0, 9, 18]].tolist() == ["r0", "g0", "b0"]
    assert X.loc[1].tolist() == [200.0] * 9 + [0.0] * 18
    check_dataset(dataset)


def test_kaggle_has_the_images_one_folder_deeper(tmp_path: Path) -> None:
    folder = faces(tmp_path / "f", kind="csv")
    inner = folder / "img_align_celeba" / "img_align_celeba"
    inner.mkdir()
    for path in (folder / "img_align_celeba").glob("*.png"):
        path.rename(inner / path.name)
    assert len(make("faces", folder=str(folder), size=2).load().y) == 6


def test_the_folder_below_the_data_is_the_default(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert present(["faces"]) == []
    before = make("faces", size=2).info
    assert before.n_rows == 5000
    # CelebA's share of smiles
    assert before.class_counts[1] / 5000 == pytest.approx(0.482, abs=1e-3)
    with pytest.raises(MissingDataError, match=r"get CelebA's aligned images.*below AUGBENCH_DATA as the folder faces"):
        make("faces").load()
    with pytest.raises(MissingDataError, match="there is no folder /nowhere; get CelebA"):
        make("faces", folder="/nowhere").check_present()
    monkeypatch.setenv("AUGBENCH_DATA", str(tmp_path))
    faces(tmp_path / "faces")
    assert present(["faces"]) == ["faces"]
    assert make("faces", size=2).info.class_counts == (3, 3)


def test_another_image_or_setting_is_another_content(tmp_path: Path) -> None:
    folder = faces(tmp_path / "f")
    found = {make("faces", folder=str(folder), **more).info.content_hash for more in (
        {}, {"size": 8}, {"rows": 4}, {"colour": True})}  # fmt: skip
    copy = faces(tmp_path / "copy")
    assert make("faces", folder=str(copy)).info.content_hash in found
    Image.fromarray(np.zeros((9, 9), dtype=np.uint8)).save(folder / "img_align_celeba" / "000003.png")
    found.add(make("faces", folder=str(folder)).info.content_hash)
    assert len(found) == 5


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"attribute": "Smilling"}, "unknown attribute 'Smilling': did you mean 'Smiling'"),
        ({"attribute": "Young"}, "all of the first 6 images have 'Young'"),
        ({"attribute": "Male"}, "none of the first 6 images have 'Male'"),
        ({"size": 1}, "size must be a whole number from 2 to 512, not 1"),
        ({"rows": 2.5}, "rows must be a whole number"),
        ({"colour": "yes"}, "colour must be true or false, not 'yes'"),
    ],
)
def test_wrong_parameters(tmp_path: Path, params: dict, words: str) -> None:
    folder = str(faces(tmp_path / "f"))
    with pytest.raises(InputError, match=words):
        make("faces", folder=folder, **params).check_present()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: expected the number of images, found ''"),
        ("image_id Smiling\n", "line 1: expected the number of images, found 'image_id Smiling'"),
        ("2\n\n", "line 2: expected the names of the attributes"),
        ("2\nSmiling\n000000.png 1\n000001.png\n", "line 4: expected a file name and 1 values -1 or 1"),
        ("2\nSmiling\n000000.png 1\n000001.png 0\n", "line 4: expected a file name and 1 values -1 or 1"),
        ("9\nSmiling\n000000.png 1\n000001.png -1\n", "announces 9 images or more, there are 2"),
    ],
)
def test_broken_tables_of_attributes(tmp_path: Path, text: str, words: str) -> None:
    folder = faces(tmp_path / "f")
    (folder / "list_attr_celeba.txt").write_text(text)
    with pytest.raises(InputError, match=words):
        make("faces", folder=str(folder), size=2).load()
    # facts never raise: a folder that is wrong does not stop the list of all data sets
    assert make("faces", folder=str(folder)).info.n_rows == 5000


def test_what_the_folder_lacks_is_named(tmp_path: Path) -> None:
    folder = faces(tmp_path / "f")
    image = folder / "img_align_celeba" / "000002.png"
    image.write_bytes(image.read_bytes()[:-25])
    with pytest.raises(InputError, match=r"000002\.png cannot be read as an image"):
        make("faces", folder=str(folder)).load()
    image.unlink()
    with pytest.raises(InputError, match=r"there is no image .*000002\.png, which the table of attributes lists"):
        make("faces", folder=str(folder)).load()
    (folder / "list_attr_celeba.txt").unlink()
    with pytest.raises(InputError, match=r"has no table of attributes: expected one of list_attr_celeba\.txt"):
        make("faces", folder=str(folder)).check_present()
    (folder / "list_attr_celeba.csv").write_text("image_id,Smiling\n1.png,1\n2.png,-1\n")
    (folder / "img_align_celeba").rename(folder / "images")
    with pytest.raises(InputError, match="has no folder of images: expected img_align_celeba"):
        make("faces", folder=str(folder)).check_present()


def test_a_jpeg_is_brought_to_its_size(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 255, 64), (64, 1)).astype(np.uint8)
    Image.fromarray(ramp).save(tmp_path / "a.jpg", quality=95)
    small = read_image(tmp_path / "a.jpg", 8, colour=False)
    assert small.shape == (1, 8, 8)
    np.testing.assert_allclose(small[0, 3], ramp.reshape(64, 8, 8).mean(axis=(0, 2)), atol=6)
