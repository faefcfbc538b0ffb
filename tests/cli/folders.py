"""Folders of small pictures to train on, and the files in them."""

import hashlib
import io

import numpy as np
from PIL import Image

__all__ = ["TRAINING", "hashes", "picture", "saved", "write_photos"]

TRAINING = ("--model", "softmax_regression", "--epochs", "1", "--speed", "exact")


def picture(number, height=20, width=24):
    """A picture that differs from those of other numbers; the first class is dark, the second light."""
    low, high = (0, 128) if number < 100 else (128, 256)
    return Image.fromarray(np.random.default_rng(number).integers(low, high, (height, width, 3), dtype=np.uint8))


def saved(image, kind="PNG", **options):
    """The bytes of a picture's file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def hashes(folder):
    """Every file below a folder with the hash of its content."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def write_photos(folder, files=()):
    """Ten pictures of each of two classes, and more files by their paths; an empty tuple of them for none."""
    plain = {f"{name}/{number}.png": saved(picture(number + 100 * (name == "dog"))) for name in ("cat", "dog") for number in range(10)}
    for path, content in {**plain, **dict(files)}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder
