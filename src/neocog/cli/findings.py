"""How people are told what a method found: its tables, its lines, and what was written."""

from pathlib import Path

from neocog.cli.command import Answer
from neocog.cli.tables import print_table

__all__ = ["show_findings"]


def show_findings(answer: Answer) -> None:
    """Print "tables", "lines" and "files" of an answer."""
    for number, table in enumerate(answer["tables"]):
        if number:
            print()
        print_table(table["headings"], table["rows"], right=table["right"], title=table["title"])
    if answer["tables"] and answer["lines"]:
        print()
    for line in answer["lines"]:
        print(line)
    if answer["files"]:
        print(f"\nwritten to {Path(answer['files'][0]).parent}: {', '.join(Path(path).name for path in answer['files'])}")
