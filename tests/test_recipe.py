"""Recipes: the same from TOML and back, every wrong key or value refused in words, and no name taken twice."""

import dataclasses
import itertools
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from neocog.augment import AUGMENTATIONS
from neocog.data.registry import DATASETS
from neocog.errors import RecipeError
from neocog.models import MODELS
from neocog.optim import OPTIMIZERS
from neocog.optim.schedules import SCHEDULES
from neocog.recipe import TABLES, Recipe, chosen_over, read_recipe, recipe_from_table, recipe_to_toml
from neocog.tasks import TASKS

EXCLUSIVE = (DATASETS, TASKS, MODELS, OPTIMIZERS, SCHEDULES)
"""Folders of which a training uses one member each; of AUGMENTATIONS it uses any number."""

words = some.text(some.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
numbers = some.floats(0, 1e6, allow_nan=False)
values = some.one_of(some.booleans(), some.integers(-(2**62), 2**62), numbers, words, some.lists(numbers, max_size=4).map(tuple))
tables = some.dictionaries(words.filter(lambda key: key != "name"), values, max_size=3)
names = some.lists(words, unique=True, max_size=3).map(tuple)
NATURAL = some.one_of(some.none(), some.integers(1, 10**9))

FIELDS: dict[str, some.SearchStrategy[Any]] = {
    "dataset": words,
    "task": some.sampled_from([None, "classify", "detect", "segment", "denoise"]),
    "model": some.one_of(some.none(), words),
    "weights": some.one_of(some.none(), words),
    "image_size": some.one_of(some.none(), some.tuples(some.integers(1, 9999), some.integers(1, 9999))),
    "channels": some.sampled_from([None, 1, 3]),
    "epochs": NATURAL,
    "batch_size": NATURAL,
    "optimizer": words,
    "learning_rate": some.one_of(some.none(), some.floats(1e-300, 1e300)),
    "weight_decay": numbers,
    "schedule": words,
    "warmup": some.floats(0, 1),
    "augment": some.one_of(some.none(), names),
    "adversarial": some.sampled_from([None, "fgsm", "pgd"]),
    "ema": some.just(0.0),  # any other value is drawn where there is no lookahead
    "micro_batch": some.integers(0, 1000),
    "clip_gradient": numbers,
    "lookahead": some.integers(0, 1000),
    "renew_norms": some.integers(0, 10**6),
    "patience": some.integers(0, 1000),
    "seed": some.integers(0, 2**63 - 1),
    "speed": words,
    "keep_every": some.integers(0, 1000),
    "allow_bad": some.booleans(),
    "log": names,
    "task_options": tables,
    "model_options": tables,
    "optimizer_options": tables,
    "schedule_options": tables,
    "adversarial_options": tables,
    "dataset_options": tables,
}


@some.composite
def choices(draw):
    chosen = draw(some.fixed_dictionaries(FIELDS))
    of_augmentations = {name: draw(tables) for name in chosen["augment"] or ()}
    if not chosen["lookahead"]:
        chosen["ema"] = draw(some.floats(0, 1))
    return {**chosen, "augment_options": {name: table for name, table in of_augmentations.items() if table}}


def file_of(folder, text):
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_field_is_drawn_below():
    assert {*FIELDS, "augment_options"} == {item.name for item in dataclasses.fields(Recipe)}


@given(choices())
def test_a_recipe_reads_back_as_it_was_written(tmp_path_factory, chosen):
    recipe = Recipe(**chosen)
    path = file_of(tmp_path_factory.getbasetemp(), recipe_to_toml(recipe))
    assert read_recipe(path) == recipe
    assert recipe_to_toml(read_recipe(path)) == recipe_to_toml(recipe)


def test_the_file_of_the_documentation(tmp_path):
    text = """
        dataset = "cifar10"
        epochs = 30
        model = "resnet20"
        image_size = "32x48"

        [optimizer]
        name = "momentum"
        momentum = 0.9

        [schedule]
        name = "step"
        drop_at = [0.5, 0.75]

        [task]
        label_smoothing = 0.1

        [augment.pad_and_crop]
        crop_padding = 4

        [augment.flip]
    """
    assert read_recipe(file_of(tmp_path, text)) == Recipe(
        dataset="cifar10",
        epochs=30,
        model="resnet20",
        image_size=(32, 48),
        optimizer="momentum",
        optimizer_options={"momentum": 0.9},
        schedule="step",
        schedule_options={"drop_at": (0.5, 0.75)},
        task_options={"label_smoothing": 0.1},
        augment=("pad_and_crop", "flip"),
        augment_options={"pad_and_crop": {"crop_padding": 4}},
    )


@pytest.mark.parametrize("member", sorted(TABLES))
def test_a_member_by_its_name_alone_is_the_same_as_a_table_with_the_name(member):
    value = {"task": "classify", "adversarial": "pgd"}.get(member, "a")
    assert recipe_from_table({member: value}) == recipe_from_table({member: {"name": value}})


def test_augmentations_by_name_alone():
    assert recipe_from_table({"augment": ["flip", "mixup"]}).augment == ("flip", "mixup")
    assert recipe_from_table({"augment": []}).augment == ()
    assert recipe_from_table({"augment": {}}).augment == ()
    assert recipe_from_table({}).augment is None


def test_whole_numbers_stand_for_numbers_and_paths_for_texts():
    recipe = recipe_from_table({"learning_rate": 1, "weights": Path("a.pth")})
    assert type(recipe.learning_rate) is float
    assert recipe.weights == "a.pth"


REFUSED_TABLES = [
    ({"epoch": 3}, "a key of the recipe", "'epoch'", "did you mean epochs?"),
    ({"modell": "lenet5"}, "a key of the recipe", "'modell'", "did you mean model?"),
    (
        {"task_options": {"label_smoothing": 0.1}},
        "a key of the recipe",
        "'task_options'",
        f"choose one of {', '.join(item.name for item in dataclasses.fields(Recipe) if not item.name.endswith('_options'))}",
    ),
    ({"epochs": "3"}, "a whole number for epochs of the recipe", "'3'", "give a value of that kind"),
    ({"epochs": 3.0}, "a whole number for epochs of the recipe", "3.0", "give a value of that kind"),
    ({"epochs": True}, "a whole number for epochs of the recipe", "True", "give a value of that kind"),
    ({"allow_bad": 1}, "true or false for allow_bad of the recipe", "1", "give a value of that kind, as False"),
    ({"ema": "no"}, "a number for ema of the recipe", "'no'", "give a value of that kind, as 0.0"),
    ({"ema": True}, "a number for ema of the recipe", "True", "give a value of that kind, as 0.0"),
    ({"dataset": 3}, "a name or a table for dataset of the recipe", "3", 'write [dataset] and name = "..." below it'),
    ({"dataset": {"name": 3}}, "a text for dataset of the recipe", "3", "give a value of that kind, as ''"),
    (
        {"task": "clasify"},
        "'classify' or 'detect' or 'segment' or 'denoise' for task of the recipe",
        "'clasify'",
        "did you mean classify?",
    ),
    ({"channels": True}, "1 or 3 for channels of the recipe", "True", "give a value of that kind"),
    ({"channels": 2}, "1 or 3 for channels of the recipe", "2", "give a value of that kind"),
    ({"image_size": "32"}, "a size HEIGHTxWIDTH for image_size of the recipe", "'32'", "give a value of that kind"),
    ({"image_size": "0x32"}, "a size HEIGHTxWIDTH for image_size of the recipe", "'0x32'", "give a value of that kind"),
    ({"augment": "flip"}, "a list of texts for augment of the recipe", "'flip'", "give a value of that kind"),
    ({"augment": ["flip", 3]}, "a list of texts for augment of the recipe", "['flip', 3]", "give a value of that kind"),
    ({"augment": {"flip": 3}}, "a table for augment.flip of the recipe", "3", "write [augment.flip] and its options below it"),
    ({"augment": ["flip", "flip"]}, "each augmentation once", "flip flip", "name each augmentation once"),
    ({"log": ["mlflow", "mlflow"]}, "each log once", "mlflow mlflow", "name each log once"),
    ({"epochs": 0}, "epochs to be a whole number of at least 1", "0", "give epochs a whole number of at least 1"),
    ({"batch_size": -1}, "batch_size to be a whole number of at least 1", "-1", "give batch_size a whole number of at least 1"),
    ({"seed": -1}, "seed to be a whole number of at least 0", "-1", "give seed a whole number of at least 0; the default is 0"),
    (
        {"keep_every": -1},
        "keep_every to be a whole number of at least 0",
        "-1",
        "give keep_every a whole number of at least 0; the default is 0",
    ),
    ({"ema": 1.5}, "ema to be a number from 0 to 1", "1.5", "give ema a number from 0 to 1; the default is 0.0"),
    ({"ema": math.nan}, "ema to be a number from 0 to 1", "nan", "give ema a number from 0 to 1; the default is 0.0"),
    ({"ema": 0.9, "lookahead": 5}, "one way of averaging weights", "ema 0.9 and lookahead 5", "set one of them to 0"),
    ({"warmup": -0.1}, "warmup to be a number from 0 to 1", "-0.1", "give warmup a number from 0 to 1; the default is 0.0"),
    ({"weight_decay": -1}, "weight_decay to be a number of at least 0", "-1.0", "give weight_decay a number of at least 0"),
    ({"weight_decay": math.inf}, "weight_decay to be a number of at least 0", "inf", "give weight_decay a number of at least 0"),
    ({"learning_rate": 0}, "learning_rate to be a number above 0", "0.0", "give learning_rate a number above 0"),
    ({"learning_rate": math.nan}, "learning_rate to be a number above 0", "nan", "give learning_rate a number above 0"),
]


@pytest.mark.parametrize(("table", "expected", "found", "remedy"), REFUSED_TABLES, ids=[str(row[0]) for row in REFUSED_TABLES])
def test_a_wrong_key_or_value_is_refused(table, expected, found, remedy):
    with pytest.raises(RecipeError) as caught:
        recipe_from_table(table)
    assert str(caught.value) == f"expected: {expected}\nfound: {found}\nto do: {remedy}"
    assert caught.value.exit_code == 2


def test_a_wrong_key_of_a_file_is_refused_with_the_file(tmp_path):
    path = file_of(tmp_path, "epoch = 3")
    with pytest.raises(RecipeError) as caught:
        read_recipe(path)
    assert str(caught.value) == f"expected: a key of the recipe {path}\nfound: 'epoch'\nto do: did you mean epochs?"


def test_no_file_is_refused(tmp_path):
    with pytest.raises(RecipeError) as caught:
        read_recipe(tmp_path / "none.toml")
    assert str(caught.value) == (
        f"expected: a readable recipe file\nfound: {tmp_path / 'none.toml'}: No such file or directory\nto do: check the path"
    )


@pytest.mark.parametrize("content", [b"epochs = ", b"epochs = 3\nepochs = 4", b"\xff\xfe"])
def test_a_file_that_is_not_toml_is_refused_with_the_place(tmp_path, content):
    path = tmp_path / "recipe.toml"
    path.write_bytes(content)
    with pytest.raises(RecipeError) as caught:
        read_recipe(path)
    assert caught.value.expected == "a recipe in TOML"
    assert caught.value.found.startswith(f"{path}: ")
    assert caught.value.remedy == "mend the file at that place"


def test_options_go_with_the_member_that_is_replaced():
    recipe = Recipe(
        dataset="digits",
        model="mlp",
        model_options={"widths": (3,)},
        optimizer_options={"beta1": 0.5},
        augment=("flip", "mixup"),
        augment_options={"flip": {"flip_probability": 0.1}, "mixup": {"mixup_alpha": 1.0}},
    )
    chosen = chosen_over(recipe, {"model": "lenet5", "augment": ("mixup",), "epochs": 2})
    assert chosen == dataclasses.replace(
        recipe, model="lenet5", model_options={}, augment=("mixup",), augment_options={"mixup": {"mixup_alpha": 1.0}}, epochs=2
    )
    assert chosen_over(recipe, {"model": "mlp"}) == recipe
    with pytest.raises(RecipeError, match="a whole number for epochs"):
        chosen_over(recipe, {"epochs": "many"})


def fields_of(registry, name):
    return {item.name for item in dataclasses.fields(registry[name].Options)}


def test_no_option_of_a_member_has_the_name_of_a_choice_of_every_training():
    own = {item.name for item in dataclasses.fields(Recipe)} | {"name", "out", "recipe"}
    for registry in (*EXCLUSIVE, AUGMENTATIONS):
        for name in registry:
            assert not fields_of(registry, name) & own, f"{registry.kind} {name}"


def test_members_that_can_be_used_together_share_no_option():
    pairs = [*itertools.combinations((*EXCLUSIVE, AUGMENTATIONS), 2)]
    together = [((a, x), (b, y)) for a, b in pairs for x in a for y in b]
    together += [((AUGMENTATIONS, x), (AUGMENTATIONS, y)) for x, y in itertools.combinations(AUGMENTATIONS, 2)]
    assert len(together) > 100
    for one, other in together:
        assert not fields_of(*one) & fields_of(*other), f"{one[0].kind} {one[1]} and {other[0].kind} {other[1]}"
