"""Folders of small pictures to open as datasets."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Write = Callable[..., Path]


def picture_bytes(number: int, height: int = 20, width: int = 24, kind: str = "PNG") -> bytes:
    """A picture file that differs from those of other numbers."""
    pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def mask_bytes(*numbers: int, height: int = 20, width: int = 24) -> bytes:
    """A mask file of 8 bits in stripes of these numbers."""
    stripes = np.array(numbers, dtype=np.uint8)[np.arange(width) * len(numbers) // width]
    file = io.BytesIO()
    Image.fromarray(np.broadcast_to(stripes, (height, width)).copy()).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Write:
    """Writes files below one folder; a whole number stands for the picture of that number."""

    def write(files: dict[str, int | bytes], name: str = "photos") -> Path:
        for path, content in files.items():
            place = tmp_path / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(picture_bytes(content) if isinstance(content, int) else content)
        (tmp_path / name).mkdir(exist_ok=True)
        return tmp_path / name

    return write


@pytest.fixture
def two_classes(folder: Write) -> Path:
    """Ten pictures of each of two classes, in one pool."""
    return folder({f"{name}/{number}.png": number + 100 * (name == "dog") for name in ("cat", "dog") for number in range(10)})
