"""Tables and sizes as people read them, on standard output."""

import shutil
import sys
from collections.abc import Sequence

__all__ = [
    "bytes_in_words",
    "count_in_words",
    "mebibytes",
    "print_facts",
    "print_table",
    "room_beside",
    "shortened",
    "size_in_words",
]

GAP = 3
"""Columns of a terminal between two columns of a ruled table."""


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = (), title: str = "") -> None:
    """Print a table: ruled on a terminal, plain aligned columns elsewhere.

    Args:
        headings: one for each column.
        rows: the cells, as many in each row as there are headings.
        right: headings of the columns whose cells are flush right (numbers).
        title: stands above.
    """
    if sys.stdout.isatty():
        _print_ruled(headings, rows, right, title)
        return
    if title:
        print(title)
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        cells = [
            cell.rjust(width) if heading in right else cell.ljust(width) for heading, cell, width in zip(headings, row, widths, strict=True)
        ]
        print("  ".join(cells).rstrip())


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Print names and values in two columns."""
    width = max((len(name) for name, _ in facts), default=0)
    for name, value in facts:
        print(f"{name:{width}}  {value}".rstrip())


def bytes_in_words(count: int) -> str:
    """A number of bytes in the unit that suits it: 1,000 bytes are a kB, as disks are sold."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"


def count_in_words(count: int) -> str:
    """A large number to three digits: 4.09 G, 569 M."""
    value, unit = float(count), ""
    for larger in ("k", "M", "G", "T"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}".rstrip()


def mebibytes(count: int) -> str:
    """A number of bytes in MiB, to two decimals, for columns of memory."""
    return f"{count / 2**20:,.2f}"


def room_beside(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Characters that a line leaves for one more column; without a terminal a line has `COLUMNS` of them, or 100."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    return shutil.get_terminal_size((100, 24)).columns - sum(widths) - GAP * (len(widths) + 1)


def shortened(text: str, width: int) -> str:
    """The text, or as much of its beginning as fits, with an ellipsis."""
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def size_in_words(size: Sequence[int]) -> str:
    """Height and width as the command line writes them."""
    return "x".join(map(str, size))


def _print_ruled(headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str], title: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
