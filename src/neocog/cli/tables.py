"""Tables and sizes as people read them, on standard output."""

import sys
from collections.abc import Sequence

__all__ = ["bytes_in_words", "print_facts", "print_table", "size_in_words"]


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
