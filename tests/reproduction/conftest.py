from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def face_folder() -> Callable[[Path], Path]:
    """A function that writes 60 images of 8 by 8 in CelebA's layout: every other one smiles, and is light below."""

    def write(folder: Path) -> Path:
        (folder / "img_align_celeba").mkdir(parents=True)
        rng = np.random.default_rng(0)
        lines = ["60", "Smiling"]
        for i in range(60):
            pixels = rng.integers(0, 120, (8, 8)).astype(np.uint8)
            pixels[4:] += np.uint8(120 * (i % 2))
            Image.fromarray(pixels).save(folder / "img_align_celeba" / f"{i}.png")
            lines.append(f"{i}.png {1 if i % 2 else -1}")
        (folder / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
        return folder

    return write
