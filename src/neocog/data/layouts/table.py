"""A CSV file with the columns path and label, and perhaps split.

Paths count from the CSV file's folder. The separator is a comma, a semicolon or a tab; further columns are
left alone.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from neocog.data.dataset import Split
from neocog.data.files import LabelledFiles
from neocog.data.layouts.class_folders import SPLIT_NAMES
from neocog.data.listing import entries
from neocog.data.registry import LAYOUTS, Layout
from neocog.errors import DataError
from neocog.options import NoOptions

__all__ = ["open_table", "recognise"]

SEPARATORS = ",;\t"
NEEDED = frozenset({"path", "label"})
MOST_DIGITS = 18  # of labels that are put in order as numbers


@dataclass(frozen=True)
class _Row:
    line: int
    path: str
    label: str
    split: str


def recognise(root: Path) -> str | None:
    """By the suffix of a file, or by a folder's only CSV file with these columns."""
    if root.is_file():
        return f"the table {root.name}" if root.suffix.lower() == ".csv" else None
    tables = [name for name in entries(root)[1] if name.lower().endswith(".csv") and _separator(root / name) is not None]
    return f"the table {tables[0]}" if len(tables) == 1 else None


def open_table(root: Path, told_by: str, options: NoOptions) -> LabelledFiles:
    """The dataset that the table lists.

    Raises:
        DataError: a column is missing, a row is incomplete, or two rows contradict each other.
    """
    table = root if root.is_file() else root / told_by.removeprefix("the table ")
    rows, repeated = _unique(table, _rows(table))
    if not rows:
        raise DataError("a row for each picture", f"no row in {table}", "add rows")
    labels = {row.label for row in rows}
    numeric = all(label.isdecimal() and len(label) <= MOST_DIGITS for label in labels)
    classes = sorted(labels, key=lambda label: (int(label), label)) if numeric else sorted(labels)
    index = {label: number for number, label in enumerate(classes)}
    notes = (told_by, *((f"left out, pictures listed twice: {', '.join(repeated)}",) if repeated else ()))
    return LabelledFiles(
        table.stem,
        table.parent,
        [row.path for row in rows],
        [index[row.label] for row in rows],
        tuple(classes),
        splits=_splits(table, rows),
        notes=notes,
    )


def _separator(table: Path) -> str | None:
    """The separator with which the first line has the needed columns."""
    if not table.is_file():  # a pipe would never end
        return None
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
        return next((separator for separator in SEPARATORS if NEEDED.issubset(_columns(header, separator))), None)
    except (OSError, UnicodeDecodeError, csv.Error):
        return None


def _columns(header: str, separator: str) -> list[str]:
    return [name.strip().lower() for name in next(csv.reader([header], delimiter=separator), [])]


def _rows(table: Path) -> Iterator[_Row]:
    separator = _separator(table)
    if separator is None:
        raise DataError(
            "a CSV file in UTF-8 with the columns path and label", f"{table} has not both", "name the columns in the first line"
        )
    with table.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator)
        try:
            columns = [name.strip().lower() for name in next(reader)]
            for values in reader:
                if not any(value.strip() for value in values):
                    continue
                row = dict(zip(columns, (value.strip() for value in values), strict=False))
                yield _row(table, reader.line_num, row)
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError("a CSV file in UTF-8", f"{table} is not ({error})", "save it as CSV in UTF-8") from error


def _row(table: Path, line: int, values: dict[str, str]) -> _Row:
    for column in sorted(NEEDED):
        if not values.get(column):
            raise DataError(f"a {column} in every row", f"none in line {line} of {table}", "fill it in, or take the line away")
    if "\0" in values["path"]:
        raise DataError("a path in every row", f"a zero byte in that of line {line} of {table}", "correct the line")
    split = values.get("split", "").lower()
    if split and split not in SPLIT_NAMES:
        raise DataError("a split train, val or test", f"{split!r} in line {line} of {table}", "correct the line")
    path = values["path"] if PurePath(values["path"]).is_absolute() else values["path"].replace("\\", "/").removeprefix("./")
    return _Row(line, path, values["label"], split)


def _unique(table: Path, rows: Iterator[_Row]) -> tuple[list[_Row], list[str]]:
    """The rows without repetitions, and the paths that are repeated."""
    first: dict[str, _Row] = {}
    repeated: dict[str, None] = {}
    for row in rows:
        before = first.setdefault(row.path, row)
        if before is row:
            continue
        if (before.label, before.split) != (row.label, row.split):
            found = f"{row.path} has others in line {row.line} than in line {before.line} of {table}"
            raise DataError("one label and one split for each picture", found, "take one of the lines away")
        repeated[row.path] = None
    return list(first.values()), list(repeated)


def _splits(table: Path, rows: list[_Row]) -> list[Split] | None:
    given = [row for row in rows if row.split]
    if not given:
        return None
    if len(given) < len(rows):
        line = next(row.line for row in rows if not row.split)
        raise DataError("a split in every row or in none", f"none in line {line} of {table}", "fill it in")
    return [SPLIT_NAMES[row.split] for row in rows]


LAYOUTS.add_named(
    Layout("table", "a CSV file with the columns path and label, and perhaps split", "classify", recognise, open_table, order=10),
)
