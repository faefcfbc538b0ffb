"""What a recipe leaves open is chosen from the data; what it says is kept, and held against the members' options."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import neocog
from neocog.data.dataset import Dataset
from neocog.data.open import open_dataset
from neocog.engine.plan import Plan
from neocog.errors import RecipeError, UsageError
from neocog.images import encode_png
from neocog.models import MODELS, create_model, read_state
from neocog.models.network import Learner, Network
from neocog.recipe import Recipe
from neocog.training.choices.classify import MOST_EPOCHS
from neocog.training.defaults import (
    built_options,
    check_options,
    choose_course,
    choose_network,
    members_in_question,
    with_dataset_options,
    with_options,
)


class Pictures(Dataset):
    """What the defaults look at of a dataset."""

    def __init__(self, size, *, channels=3, mirrored=True):
        self.typical_size, self.channels, self.mirrored, self.task = size, channels, mirrored, "classify"


Pictures.__abstractmethods__ = frozenset()  # nobody asks for the pictures themselves


DIGITS = Pictures((8, 8), channels=1, mirrored=False)
CIFAR = Pictures((32, 32))
PHOTOS = Pictures((333, 500))


@pytest.mark.parametrize(
    ("pictures", "chosen"),
    [
        (DIGITS, ("small_convnet", (8, 8), 1, ("pad_and_crop",), {"pad_and_crop": {"crop_padding": 1}})),
        (CIFAR, ("small_convnet", (32, 32), 3, ("pad_and_crop", "flip"), {"pad_and_crop": {"crop_padding": 4}})),
        (Pictures((64, 48)), ("small_convnet", (64, 48), 3, ("pad_and_crop", "flip"), {"pad_and_crop": {"crop_padding": 6}})),
        (Pictures((2, 9)), ("small_convnet", (4, 9), 3, ("pad_and_crop", "flip"), {"pad_and_crop": {"crop_padding": 1}})),
        (Pictures((64, 65)), ("mobilenet_v2", None, 3, ("random_resized_crop", "flip"), {})),
        (PHOTOS, ("mobilenet_v2", None, 3, ("random_resized_crop", "flip"), {})),
        (Pictures((333, 500), mirrored=False, channels=1), ("mobilenet_v2", None, 1, ("random_resized_crop",), {})),
    ],
)
def test_the_network_that_suits_the_pictures(pictures, chosen):
    recipe = choose_network(Recipe(dataset="a name"), pictures)
    assert (recipe.model, recipe.image_size, recipe.channels, recipe.augment, recipe.augment_options) == chosen
    assert recipe.task == "classify"


GIVEN: list[dict[str, Any]] = [
    {"model": "lenet5"},
    {"image_size": (48, 40)},
    {"channels": 1},
    {"augment": ()},
    {"augment": ("rotation",)},
    {"task": "classify"},
    {"speed": "exact"},
    {"dataset": "digits"},
]


@pytest.mark.parametrize("given", GIVEN, ids=str)
@pytest.mark.parametrize("pictures", [DIGITS, CIFAR, PHOTOS], ids=["digits", "cifar", "photos"])
def test_what_is_given_is_kept(pictures, given):
    recipe = choose_network(Recipe(**{"dataset": "a name", **given}), pictures)
    assert {name: getattr(recipe, name) for name in given} == given


def test_a_window_at_the_size_that_was_asked_for():
    assert choose_network(Recipe(image_size=(16, 16)), PHOTOS).augment == ("pad_and_crop", "flip")
    assert choose_network(Recipe(image_size=(96, 96)), CIFAR).augment == ("random_resized_crop", "flip")


def test_paths_are_kept_in_full(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("photos", "weights.pth", "plan.json"):
        (tmp_path / name).touch()
    pictures = Pictures((333, 500))
    pictures.root = Path("photos")
    recipe = choose_network(Recipe(dataset="photos", weights="weights.pth", speed="plan.json"), pictures)
    assert recipe.dataset == str(tmp_path / "photos")
    assert recipe.weights == str(tmp_path / "weights.pth")
    assert recipe.speed == str(tmp_path / "plan.json")
    assert choose_network(Recipe(dataset="digits"), DIGITS).dataset == "digits"


def test_published_weights_are_kept_by_their_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "imagenet").mkdir()  # a folder of that name, as of pictures, is no file of weights
    assert choose_network(Recipe(model="resnet50", weights="imagenet"), PHOTOS).weights == "imagenet"
    assert choose_network(Recipe(model="resnet50", weights="imagenet_v2"), PHOTOS).weights == "imagenet_v2"


@pytest.mark.parametrize(
    ("pictures", "admitted", "channels"), [(PHOTOS, (1,), 1), (DIGITS, (3,), 3), (PHOTOS, (1, 3), 3), (DIGITS, (3, 1), 1)]
)
def test_pictures_are_read_as_the_network_takes_them(pictures, admitted, channels, monkeypatch):
    monkeypatch.setitem(MODELS._members, "lenet5", replace(MODELS["lenet5"], channels=admitted))
    assert choose_network(Recipe(model="lenet5"), pictures).channels == channels


@pytest.mark.parametrize(
    ("recipe", "expected", "found", "remedy"),
    [
        (
            Recipe(model="resnet50", weights="imagnet"),
            "the name of published weights of resnet50 (imagenet, imagenet_v2), or a file of weights",
            "'imagnet', no file and no such name",
            "did you mean imagenet or imagenet_v2?",
        ),
        (Recipe(model="softmax_regresion"), "the name of an architecture", "'softmax_regresion'", "did you mean softmax_regression?"),
        (Recipe(optimizer="adamm"), "the name of an optimizer", "'adamm'", "did you mean adam or adamw?"),
        (Recipe(schedule="cosin"), "the name of a schedule", "'cosin'", "did you mean cosine?"),
        (Recipe(augment=("flipp",)), "the name of an augmentation", "'flipp'", "did you mean flip?"),
        (
            Recipe(task="detect"),
            "a task that can be trained (classify, denoise, segment)",
            "detect",
            "choose one of them with --task, or other data",
        ),
        (Recipe(speed="fast"), "auto, exact or the path of a plan.json for speed", "'fast'", "check the path"),
        (
            Recipe(model="small_convnet", model_options={"widht": 3}),
            "an option of the model small_convnet",
            "'widht'",
            "did you mean width?",
        ),
        (
            Recipe(model="small_convnet", model_options={"width": 0}),
            "width to be a whole number of at least 1",
            "0",
            "give width a whole number of at least 1; the default is 32",
        ),
        (
            Recipe(task_options={"label_smoothing": 2.0}),
            "label_smoothing to be a number from 0 to 1",
            "2.0",
            "give label_smoothing a number from 0 to 1; the default is 0.0",
        ),
        (
            Recipe(augment=("flip",), augment_options={"mixup": {"mixup_alpha": 1.0}}),
            "options of augmentations that are used",
            "options of mixup",
            "add mixup to the augmentations",
        ),
        (
            Recipe(augment=("flip",), augment_options={"flip": {"probability": 1.0}}),
            "an option of the augmentation flip",
            "'probability'",
            "did you mean flip_probability or flip_vertical_probability?",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(recipe, expected, found, remedy):
    with pytest.raises(UsageError) as caught:
        choose_network(recipe, CIFAR)
    assert str(caught.value) == f"expected: {expected}\nfound: {found}\nto do: {remedy}"


def test_options_go_to_the_members_that_have_them():
    chosen = choose_network(Recipe(optimizer="momentum", augment=("flip", "mixup")), CIFAR)
    options = {"momentum": 0.5, "mixup_alpha": 1.0, "width": 8, "label_smoothing": 0.1, "cycle_rise": 0.5}
    assert with_options(chosen, options) == replace(
        chosen,
        optimizer_options={"momentum": 0.5},
        augment_options={"mixup": {"mixup_alpha": 1.0}},
        model_options={"width": 8},
        task_options={"label_smoothing": 0.1},
        schedule_options={"cycle_rise": 0.5},
    )
    assert with_options(chosen, {}) == chosen


def test_options_of_a_dataset_go_to_it():
    recipe, left = with_dataset_options(Recipe(dataset="shapes", dataset_options={"shapes_noise": 1.0}), {"count": 5, "width": 8})
    assert recipe.dataset_options == {"shapes_noise": 1.0, "count": 5}
    assert left == {"width": 8}
    recipe, left = with_dataset_options(Recipe(dataset="a/folder"), {"class_names": {"n01440764": "tench"}, "count": 5})
    assert recipe.dataset_options == {"class_names": {"n01440764": "tench"}}
    assert left == {"count": 5}


@pytest.mark.parametrize(
    ("recipe", "text"),
    [
        (
            Recipe(dataset="shapes", dataset_options={"count": "3"}),
            "a whole number for count of the dataset shapes\nfound: '3'\nto do: give a value of that kind, as 2000",
        ),
        (
            Recipe(dataset="shapes", dataset_options={"cuont": 3}),
            "an option of the dataset shapes\nfound: 'cuont'\nto do: did you mean count?",
        ),
        (
            Recipe(dataset="digits", dataset_options={"task": "classify"}),
            "an option of the dataset digits\nfound: 'task'\nto do: leave it out: digits has no options",
        ),
        (
            Recipe(dataset="a/folder", dataset_options={"task": "classify"}),
            "an option of the dataset a/folder\nfound: 'task'\nto do: choose one of class_names, further_masks, void",
        ),
    ],
)
def test_wrong_options_of_a_dataset_are_refused(recipe, text):
    with pytest.raises(RecipeError) as caught:
        with_dataset_options(recipe, {})
    assert str(caught.value) == f"expected: {text}"


ANY_FIELD = "a field of the recipe, or an option of the chosen task, model, optimizer, schedule, attack or augmentations"


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"momentun": 0.5}, UsageError, f"{ANY_FIELD}\nfound: 'momentun'\nto do: did you mean momentum?"),
        ({"epoch": 0.5}, UsageError, f"{ANY_FIELD}\nfound: 'epoch'\nto do: did you mean epochs?"),
        ({"beta1": 0.5}, UsageError, f"{ANY_FIELD}\nfound: 'beta1'"),
        (
            {"momentum": "much"},
            RecipeError,
            "a number for momentum of the optimizer momentum\nfound: 'much'\nto do: give a value of that kind, as 0.9",
        ),
    ],
)
def test_options_that_nobody_has_are_refused(options, error, text):
    chosen = choose_network(Recipe(optimizer="momentum"), CIFAR)
    with pytest.raises(error) as caught:
        with_options(chosen, options)
    assert str(caught.value).startswith(f"expected: {text}")


def test_a_named_dataset_takes_its_own_options():
    recipe, left = with_dataset_options(Recipe(dataset="shapes"), {"count": 9, "width": 3})
    assert recipe.dataset_options == {"count": 9}
    assert left == {"width": 3}
    assert with_dataset_options(Recipe(dataset="photos"), {"count": 9}) == (Recipe(dataset="photos"), {"count": 9})


def test_members_in_question_are_those_named_or_those_that_may_be_chosen():
    named = Recipe(dataset="digits", model="mlp", optimizer="sgd", schedule="step", augment=("mixup",))
    assert [(kind, name) for kind, name, _ in members_in_question(named)] == [
        ("dataset", "digits"),
        ("task", "classify"),
        ("architecture", "mlp"),
        ("optimizer", "sgd"),
        ("schedule", "step"),
        ("augmentation", "mixup"),
    ]
    open_ones = [name for _, name, _ in members_in_question(Recipe())]
    assert {"small_convnet", "mobilenet_v2", "pad_and_crop", "random_resized_crop", "flip"} <= set(open_ones)
    for pictures in (DIGITS, CIFAR, PHOTOS):
        chosen = choose_network(Recipe(dataset="a name"), pictures)
        assert {chosen.model, *chosen.augment} <= set(open_ones)


def test_built_options_are_instances_of_every_augmentation_in_use():
    recipe = Recipe(augment=("mixup", "flip"), augment_options={"mixup": {"mixup_alpha": 1}})
    built = built_options(recipe)
    assert list(built) == ["mixup", "flip"]
    assert built["mixup"].mixup_alpha == 1.0
    check_options(choose_network(recipe, CIFAR))


SMALL_NETWORK = create_model("small_convnet", num_classes=2, image_size=(32, 32), width=2)
LARGE_IMAGES = create_model("small_convnet", num_classes=2, image_size=(96, 96), width=2)
WITHOUT_NORMS = create_model("lenet5", num_classes=2, image_size=(32, 32))


with torch.device("meta"):
    DEEP_WITHOUT_NORMS = create_model("vgg16", num_classes=2)


class Reader(Learner):
    def update(self, batch, generator):
        return {}


def learner():
    return Reader(dict(SMALL_NETWORK.stages), SMALL_NETWORK.head, channels=(2, 4, 8), preprocess=SMALL_NETWORK.preprocess, num_classes=2)


@pytest.mark.parametrize(
    ("recipe", "model", "pictures", "course"),
    [
        (Recipe(), SMALL_NETWORK, 1, (MOST_EPOCHS, 1, 3e-3)),
        (Recipe(), SMALL_NETWORK, 10, (MOST_EPOCHS, 10, 3e-3)),
        (Recipe(), SMALL_NETWORK, 1_439, (MOST_EPOCHS, 32, 3e-3)),
        (Recipe(), SMALL_NETWORK, 50_000, (14, 128, 3e-3)),
        (Recipe(), SMALL_NETWORK, 10_000_000, (10, 128, 3e-3)),
        (Recipe(), LARGE_IMAGES, 50_000, (14, 32, 3e-3)),
        (Recipe(), WITHOUT_NORMS, 60_000, (12, 128, 3e-3)),
        (Recipe(), DEEP_WITHOUT_NORMS, 50_000, (14, 32, 3e-4)),
        (Recipe(weights="a.pth"), LARGE_IMAGES, 244, (15, 16, 5e-4)),
        (Recipe(optimizer="momentum"), SMALL_NETWORK, 50_000, (14, 128, 0.1)),
        (Recipe(optimizer="adam"), SMALL_NETWORK, 50_000, (14, 128, 1e-3)),
        (Recipe(optimizer="sgd"), WITHOUT_NORMS, 50_000, (14, 128, 0.1 / 3)),
        (Recipe(optimizer="sgd", weights="a.pth"), SMALL_NETWORK, 50_000, (15, 128, 0.1 / 6)),
        (Recipe(epochs=3, batch_size=5, learning_rate=7.0), SMALL_NETWORK, 50_000, (3, 5, 7.0)),
    ],
)
def test_the_course_that_suits_network_and_pictures(recipe, model, pictures, course):
    chosen = choose_course(recipe, model, pictures)
    assert (chosen.epochs, chosen.batch_size, chosen.learning_rate) == pytest.approx(course)
    assert chosen.image_size == model.preprocess.size


def test_a_network_that_does_not_learn_by_gradient_says_how_often_it_sees_the_pictures():
    assert isinstance(learner(), Network)
    assert choose_course(Recipe(), learner(), 1000).epochs == 1
    assert choose_course(Recipe(), create_model("perceptron"), 1000).epochs == 10
    assert choose_course(Recipe(epochs=2), create_model("perceptron"), 1000).epochs == 2


def test_a_network_that_does_not_learn_by_gradient_sees_the_pictures_as_they_are():
    assert choose_network(Recipe(dataset="digits", model="perceptron"), DIGITS).augment == ()
    assert choose_network(Recipe(dataset="digits", model="perceptron", augment=("flip",)), DIGITS).augment == ("flip",)


def test_a_scale_that_a_network_keeps_is_not_measured(tmp_path):
    neocog.train("digits", model="neocognitron", out=tmp_path / "run", epochs=1, planes=2, presentations=2, progress=False)
    kept = read_state(tmp_path / "run" / "weights.safetensors").preprocess
    assert (kept.mean, kept.std) == ((0.0,), (1.0,))


def test_real_folders_are_told_by_their_pictures(tmp_path):
    for name, side in (("a/1", 8), ("a/2", 10), ("b/1", 8), ("b/2", 8)):
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encode_png(torch.zeros(3, side, side, dtype=torch.uint8)))
    recipe = choose_network(Recipe(dataset=str(tmp_path)), open_dataset(str(tmp_path)))
    assert (recipe.model, recipe.image_size, recipe.channels) == ("small_convnet", (8, 8), 3)


def test_a_plan_of_anothers_is_a_path(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(Plan().to_dict()))
    assert choose_network(Recipe(speed=str(path)), CIFAR).speed == str(path)
