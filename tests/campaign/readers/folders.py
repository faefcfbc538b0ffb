"""Folders of pictures: a folder per class, and a folder per WordNet id."""

from collections.abc import Callable
from random import Random

from campaign.case import Case, Reader
from campaign.readers.asking import ask
from campaign.readers.pictures import originals
from campaign.trees import disturb, write_tree

__all__ = ["READERS", "photos"]


def photos(random: Random, classes: tuple[str, ...] = ("cat", "dog"), *, split: bool | None = None) -> dict[str, bytes]:
    """Small good pictures in class folders, in half of the cases below train and val."""
    holders = ("train/", "val/") if (random.random() < 0.5 if split is None else split) else ("",)
    pictures = [*originals("png")[:6], *originals("jpeg")]
    files = {}
    for holder in holders:
        for name in classes:
            for number in range(4):
                picture = random.choice(pictures)
                suffix = "png" if picture[:1] == b"\x89" else "jpg"
                files[f"{holder}{name}/{number}.{suffix}"] = picture + bytes([len(files)])  # so that no two are equal
    return files


def _write(classes: tuple[str, ...]) -> Callable[[Case], None]:
    def write(case: Case) -> None:
        write_tree(case.given / "photos", photos(case.random, classes))
        if case.random.random() > 0.05:
            disturb(case.given / "photos", case.random)

    return write


def _read(case: Case) -> None:
    from neocog.data.open import open_dataset

    ask(open_dataset(case.given / "photos"), case)


READERS = (
    Reader("class folders", _write(("cat", "dog")), _read, large=True),
    Reader("wordnet folders", _write(("n01440764", "n01443537")), _read, large=True),
)
