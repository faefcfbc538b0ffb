"""A CSV file that lists pictures and labels."""

import os
from pathlib import Path

from campaign.case import Case, Reader
from campaign.readers.asking import ask
from campaign.readers.folders import photos
from campaign.trees import disturb, write_tree
from campaign.values import csv_text

__all__ = ["READERS"]

PLACES = ("photos", "photos/table.csv", "photos/Table.CSV", "photos/nothing.csv")


def _write(case: Case) -> None:
    random = case.random
    files = photos(random, split=False)
    with_splits = random.random() < 0.3
    rows = [["path", "label", *(["split"] if with_splits else [])]]
    for number, name in enumerate(files):
        rows.append([name, name.split("/")[0], *([("train", "val", "test")[number % 3]] if with_splits else [])])
    if random.random() < 0.2:
        _add_odd_paths(rows, case.given / "photos", case)
    write_tree(case.given / "photos", files)
    text = csv_text(rows, random) if random.random() > 0.1 else "\n".join(",".join(row) for row in rows).encode() + b"\n"
    (case.given / "photos" / "table.csv").write_bytes(text)
    if random.random() < 0.1:
        disturb(case.given / "photos", random)


def _add_odd_paths(rows: list[list[str]], folder: Path, case: Case) -> None:
    """Paths to what is no picture's file."""
    pipe = folder / "pipe.png"
    pipe.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(pipe)
    odd = (
        "pipe.png",
        str(pipe),
        "/dev/zero",
        "/dev/null",
        "cat",
        ".",
        "..",
        "a\0b.png",
        "x/" * 3000,
        "CAT\\0.png",
        "./cat/../cat/0.png",
        "~/x.png",
    )
    for path in case.random.sample(odd, 2):
        rows.append([path, "cat", *(["train"] if len(rows[0]) > 2 else [])])


def _read(case: Case) -> None:
    from neocog.data.open import open_dataset

    ask(open_dataset(case.given / case.random.choice(PLACES[: 2 if case.random.random() < 0.9 else None])), case)


READERS = (Reader("csv table", _write, _read, large=True),)
