"""Which classes the numbers or colours of masks stand for, and which of them means "not labelled"."""

import contextlib
import csv
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NoReturn

import torch
from jaxtyping import Bool, UInt16
from torch import Tensor

from neocog.data.files import read_file
from neocog.data.survey import default_threads
from neocog.errors import DataError, PictureError, UsageError
from neocog.images import Colours, decode_mask, inspect
from neocog.registry import closest

__all__ = ["TABLES", "ClassList", "Void", "by_number", "classes_in_masks", "classes_of", "find_table", "read_class_table", "without_void"]

Void = int | str
"""A number in the masks, the name of a class, "none", or "" for the custom: see `without_void`."""

TABLES = ("classes.csv", "class_dict.csv", "classes.txt")
VOID_NAMES = ("void", "unlabelled", "unlabeled", "ignore", "ignored")
NUMBERS = 1 << 16  # a mask's pixels have 16 bits
MOST_UNNAMED = 1000  # classes; masks with more number something else, such as instances
CUSTOM = 255  # the number of void in PASCAL VOC's masks, and of the foreground in masks of two values
MOST_LEVELS = 16  # values from black to white that are classes drawn for the eye
SAMPLED = 64  # masks that tell whether a table's colours are what they hold
COLUMNS = (("red", "green", "blue"), ("r", "g", "b"))


@dataclass(frozen=True)
class ClassList:
    """The classes of a set of masks.

    Attributes:
        names: in the order of the classes' indices.
        numbers: what stands for each class in the masks, in the same order.
        void_number: what stands for void in the masks; None where nothing does.
        colours: for masks in RGB, the number of each colour.
        notes: what a person should know of how this was told.
    """

    names: tuple[str, ...]
    numbers: tuple[int, ...]
    void_number: int | None = None
    colours: Colours | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def void(self) -> int:
        """The index that means void in targets: the masks' own number where that is no class's index."""
        count = len(self.names)
        if self.void_number is not None and self.void_number >= count:
            return self.void_number
        return CUSTOM if count <= CUSTOM else NUMBERS - 1

    def table(self) -> UInt16[Tensor, "n"]:
        """For every number that a pixel may have, the class's index or void; the largest index where it is neither."""
        table = torch.full((NUMBERS,), NUMBERS - 1, dtype=torch.int32)
        table[torch.tensor(self.numbers)] = torch.arange(len(self.numbers), dtype=torch.int32)
        if self.void_number is not None:
            table[self.void_number] = self.void
        return table.to(torch.uint16)

    def known(self) -> Bool[Tensor, "n"]:
        """Which numbers stand for a class or for void."""
        known = torch.zeros(NUMBERS, dtype=torch.bool)
        known[torch.tensor([*self.numbers, *(() if self.void_number is None else (self.void_number,))])] = True
        return known


def by_number(names: Sequence[str], void: int | None) -> ClassList:
    """Classes that are numbered in their order."""
    return ClassList(tuple(names), tuple(range(len(names))), void)


def classes_of(root: Path, masks: Sequence[Path], void: Void) -> ClassList:
    """The classes by the table that a folder has, else by the numbers in its masks.

    Args:
        root: the folder.
        masks: all of them.
        void: see `without_void`.

    Raises:
        DataError: as for `read_class_table` or `classes_in_masks`.
        UsageError: as for `without_void`.
    """
    path = find_table(root)
    if path is None:
        return classes_in_masks(masks, void)
    classes = read_class_table(path)
    return without_void(classes if classes.colours is None else _by_colours_or_numbers(classes, masks, void), void)


def find_table(root: Path) -> Path | None:
    """The file that lists the classes of a folder's masks."""
    return next((root / name for name in TABLES if (root / name).is_file()), None)


def read_class_table(path: Path) -> ClassList:
    """Read classes.csv: a row for each class with its name, and for masks in RGB its red, green and blue (0 to 255).

    A class_dict.csv has the columns name, r, g and b; a classes.txt a name in each line. Rows are numbered from 0.

    Raises:
        DataError: there is no class, a name or a colour twice, or a colour that is none.
    """
    rows = list(_names(path) if path.suffix == ".txt" else _rows(path))
    names = [name for name, _ in rows]
    colours = [colour for _, colour in rows if colour is not None]
    for what, values in (("name", names), ("colour", [str(colour) for colour in colours])):
        twice = [value for value in values if values.count(value) > 1]
        if twice:
            raise DataError(f"a {what} of its own for each class", f"{twice[0]} twice in {path}", "correct the file")
    if not names or 0 < len(colours) < len(names):
        found = f"{len(names) - len(colours)} rows without in {path}" if names else f"no class in {path}"
        raise DataError("a name for each class, and a colour for all or none", found, "complete the file")
    table = {colour: number for number, colour in enumerate(colours)}
    return replace(by_number(names, None), colours=table or None, notes=(f"classes by {path.name}",))


def _by_colours_or_numbers(classes: ClassList, masks: Sequence[Path], void: Void) -> ClassList:
    """The list without its colours where an evenly spaced sample of the masks holds the classes' numbers.

    A mask of 0 and 1 holds numbers, one of 0 and 255 the colours black and white. Where both may be, as in a mask of nothing
    but 0, the other masks tell; where none does, colours count in masks that have any.
    """
    assert classes.colours is not None
    numbers = {*classes.numbers, *([int(void)] if str(void).isdecimal() else [])}
    told = []
    for path in masks[:: max(1, len(masks) // SAMPLED)]:
        with contextlib.suppress(PictureError):
            data = read_file(path)
            told.append((_holds(data, None, numbers), _holds(data, classes.colours, None), inspect(data).channels == 1))
    for_numbers, for_colours = (sum(one[kind] and not one[1 - kind] for one in told) for kind in (0, 1))
    all_grey = bool(told) and all(grey for _, _, grey in told)
    if for_numbers > for_colours or (for_numbers == for_colours and all_grey):
        return replace(classes, colours=None, notes=(*classes.notes, "masks hold numbers"))
    return classes


def _holds(data: bytes, colours: Colours | None, numbers: Collection[int] | None) -> bool:
    """Whether all pixels of a mask have one of the colours, or one of the numbers."""
    try:
        present = decode_mask(data, colours=colours).flatten().to(torch.int64).unique().tolist()
    except PictureError:
        return False
    return numbers is None or set(present) <= set(numbers)


def without_void(classes: ClassList, void: Void) -> ClassList:
    """The list with its void label told from the classes.

    Args:
        classes: every label.
        void: the name of a class or its number; a number that is no class's stands for void beside the classes. "none"
            leaves the list as it is; "" takes a class that is called void, unlabelled or ignore, where there is one.

    Raises:
        UsageError: no class has that name.
    """
    if void in ("none", ""):
        found = [name for name in classes.names if name.lower() in VOID_NAMES] if void == "" and classes.void_number is None else []
        return _taken_out(classes, found[0]) if found else classes
    if isinstance(void, str) and not void.isdecimal():
        if void not in classes.names:
            raise UsageError("the number or the name of the void label", repr(void), closest(void, classes.names))
        return _taken_out(classes, void)
    number = int(void)
    if number in classes.numbers:
        return _taken_out(classes, classes.names[classes.numbers.index(number)])
    if number >= NUMBERS:
        raise UsageError(f"a void label below {NUMBERS:,}", str(number), "give the number that unlabelled pixels have")
    return replace(classes, void_number=number, notes=(*classes.notes, f"void is {number}"))


def _taken_out(classes: ClassList, name: str) -> ClassList:
    place = classes.names.index(name)
    kept = [index for index in range(len(classes.names)) if index != place]
    return replace(
        classes,
        names=tuple(classes.names[index] for index in kept),
        numbers=tuple(classes.numbers[index] for index in kept),
        void_number=classes.numbers[place],
        notes=(*classes.notes, f"void is {name}"),
    )


def classes_in_masks(paths: Iterable[Path], void: Void) -> ClassList:
    """The classes of masks that nothing names, by the numbers in all of them.

    Two values 0 and 255 are background and foreground, and up to 16 evenly spaced from 0 to 255 a class each: so are masks drawn
    to be looked at. Beside other numbers 255 is void, as in PASCAL VOC.

    Raises:
        DataError: masks in RGB, no mask that can be read, or more numbers than there are classes anywhere.
        UsageError: as for `without_void`.
    """
    found = torch.zeros(NUMBERS, dtype=torch.bool)
    faults: list[tuple[Path, PictureError]] = []
    read = 0
    with ThreadPoolExecutor(default_threads()) as threads:
        for numbers in threads.map(partial(_numbers, faults=faults), paths):
            found |= numbers
            read += bool(numbers.any())
    present = found.nonzero().flatten().tolist()
    if sum(error.kind == "colours" for _, error in faults) > read or not present:
        _refuse(faults)
    if _are_levels(present):
        names = ("background", "foreground") if len(present) == 2 else tuple(f"class {number}" for number in present)
        words = "two values" if len(present) == 2 else f"{len(present)} levels of grey"
        return without_void(ClassList(names, tuple(present), notes=(f"classes by the masks' {words}",)), void)
    by_custom = CUSTOM in present and void == ""
    void = CUSTOM if by_custom else void
    present = [number for number in present if not (isinstance(void, int) and number == void)]
    largest = max(present, default=0)
    if largest >= MOST_UNNAMED:
        expected, remedy = f"masks of at most {MOST_UNNAMED:,} classes", "number the classes from 0, or list them in classes.csv"
        raise DataError(expected, f"the number {largest:,}", remedy)
    classes = by_number([f"class {number}" for number in range(largest + 1)], None)
    notes = ["classes by the masks' numbers"]
    if largest + 1 > 2 * max(len(present), 1):
        notes.append(
            f"numbers up to {largest} that no mask has: {largest + 1 - len(present)}; classes.csv may say what the others stand for"
        )
    return without_void(replace(classes, notes=tuple(notes)), void)


def _are_levels(present: Sequence[int]) -> bool:
    """Whether numbers are evenly spaced from 0 to 255."""
    steps = len(present) - 1
    return 1 <= steps < MOST_LEVELS and all(abs(number - place * CUSTOM / steps) <= 1 for place, number in enumerate(present))


def _refuse(faults: Sequence[tuple[Path, PictureError]]) -> NoReturn:
    for path, error in sorted(faults, key=lambda fault: fault[0]):
        if error.kind == "colours":
            expected, remedy = (
                "masks of class numbers, or a table of their colours",
                "list name,red,green,blue of each class in classes.csv",
            )
            raise DataError(expected, f"{path}, in colours", remedy)
        if error.kind == "lossy":
            raise DataError("masks in a format that keeps numbers", f"{path}, a JPEG", "save masks as PNG")
    raise DataError("masks that can be read", "none", "see that the masks are pictures of class numbers")


def _numbers(path: Path, faults: list[tuple[Path, PictureError]]) -> Bool[Tensor, "n"]:
    """Which numbers a mask has; none where it cannot be read, which is told later, for each picture by name."""
    found = torch.zeros(NUMBERS, dtype=torch.bool)
    try:
        mask = decode_mask(read_file(path))
    except PictureError as error:
        faults.append((path, error))
        return found
    found[mask.flatten().to(torch.int64).unique()] = True
    return found


def _names(path: Path) -> Iterator[tuple[str, None]]:
    for line in _text(path).splitlines():
        if line.strip():
            yield line.strip(), None


def _rows(path: Path) -> Iterator[tuple[str, tuple[int, int, int] | None]]:
    reader = csv.reader(_text(path).splitlines())
    try:
        heading = [cell.strip().lower() for cell in next(reader, [])]
        if "name" not in heading:
            raise DataError(
                "a column name, and red, green and blue for masks in RGB", f"{path} without it", "name the columns in the first row"
            )
        columns = next((columns for columns in COLUMNS if set(columns) <= set(heading)), None)
        for cells in reader:
            row = dict(zip(heading, (cell.strip() for cell in cells), strict=False))
            if any(row.values()):
                name = row.get("name") or ""
                if not name:
                    raise DataError("a name in every row", f"none in line {reader.line_num} of {path}", "fill it in, or take the line away")
                yield name, None if columns is None else _colour(path, reader.line_num, [row.get(column, "") for column in columns])
    except csv.Error as error:
        raise DataError("a CSV file", f"{path}: {error}", "save it as CSV in UTF-8") from error


def _colour(path: Path, line: int, cells: Sequence[str]) -> tuple[int, int, int]:
    if not all(cell.isascii() and cell.isdecimal() and len(cell) <= 3 and int(cell) <= 255 for cell in cells):
        expected, found = "red, green and blue from 0 to 255", f"{', '.join(cells)} in line {line} of {path}"
        raise DataError(expected, found, "correct the line")
    red, green, blue = map(int, cells)
    return red, green, blue


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("a list of classes in UTF-8", f"{path}: {error}", "save it as text in UTF-8") from error
