"""The documentation says what the code is."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_are_up_to_date(tables: ModuleType, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert tables.filled(text) == text, "run: uv run python docs/tables.py"


def test_defaults_of_a_recipe_are_told_as_they_are(tables: ModuleType) -> None:
    rows = [row.strip("| ").split(" | ") for row in tables.WRITERS["recipe"]().splitlines()]
    defaults = {row[0].strip("`"): row[2] for row in rows if len(row) == 3}
    assert defaults["weights"] == "none"
    assert defaults["weight_decay"] == "by the optimizer"
    assert defaults["epochs"] == "from the data"
    assert defaults["optimizer"] == "`adamw`"
    assert "dataset" not in defaults  # its cell is empty
    assert "``" not in tables.WRITERS["recipe"]()


def test_a_stale_table_is_noticed(tables: ModuleType) -> None:
    text = "<!-- table: datasets -->\nold\n<!-- end of table -->"
    assert "| `digits` |" in tables.filled(text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), target
