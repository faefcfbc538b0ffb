"""Writes the tables of the documentation from the registries, between markers in the Markdown files.

uv run python docs/tables.py          # writes
uv run python docs/tables.py --check  # exit code 1 when a table is out of date
"""

import re
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
if str(FOLDER) not in sys.path:
    sys.path.append(str(FOLDER))  # where this file is loaded by its path

from writers import WRITERS  # noqa: E402

MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def filled(text: str) -> str:
    """A page with every marked table written anew."""
    return MARKED.sub(lambda match: f"{match[1]}\n{WRITERS[match[2]]()}\n{match[3]}", text)


def main() -> int:
    """Write or check all pages."""
    stale = 0
    for page in sorted([*FOLDER.glob("*.md"), FOLDER.parent / "README.md"]):
        text = page.read_text(encoding="utf-8")
        if filled(text) != text:
            stale = 1
            if "--check" not in sys.argv:
                page.write_text(filled(text), encoding="utf-8")
            print(f"{page.name}: {'out of date' if '--check' in sys.argv else 'written'}")
    return stale if "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
