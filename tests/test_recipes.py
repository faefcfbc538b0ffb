"""Every recipe that is shipped can be read, names members that exist, and says what was measured with it."""

from pathlib import Path

import pytest

from neocog.recipe import read_recipe
from neocog.training.defaults import members_in_question

RECIPES = sorted((Path(__file__).parent.parent / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_names_what_there_is(path):
    recipe = read_recipe(path)
    assert recipe.dataset
    assert members_in_question(recipe)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_headed_by_metric_and_time(path):
    head = "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#"))
    assert any(metric in head for metric in ("accuracy", "mean IoU", "dB"))
    assert " s" in head or "min" in head
    assert f"neocog train --recipe recipes/{path.name}" in head
