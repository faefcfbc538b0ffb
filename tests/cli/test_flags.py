"""Flags from dataclasses, and back to the fields that were given."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal

import pytest

from neocog.augment import AUGMENTATIONS
from neocog.cli.flags import add_fields, as_flag, as_float, given_fields
from neocog.cli.parser import Parser
from neocog.data.registry import DATASETS, LAYOUTS
from neocog.errors import UsageError
from neocog.images import Size
from neocog.models import MODELS
from neocog.optim import OPTIMIZERS, SCHEDULES
from neocog.options import option
from neocog.tasks import TASKS


@dataclass(frozen=True)
class Choices:
    """One field of each kind."""

    epochs: int = option(30, "rounds over 100 % of the data")
    learning_rate: float = option(0.001, "first learning rate")
    model: str = option("lenet5", "name")
    shuffle: bool = option(True, "whether")
    image_size: Size = option((224, 224), "size")
    fit: Literal["cover", "crop"] = option("cover", "how")
    depth: Literal[8, 16] = option(8, "bits")
    augment: tuple[str, ...] = option(("flip",), "members")
    betas: tuple[float, float] = option((0.9, 0.999), "decays")
    sizes: tuple[Size, ...] = option((), "several")
    weights: Path | None = option(None, "file")
    steps: int | None = option(5, "steps")
    optimizer: Literal["adam", "sgd"] = option("adam", "which")
    table: dict[str, str] = option({}, "a table", flag=False)
    threads: int | Literal["auto"] = option("auto", "how many")


def parse(*arguments):
    parser = Parser("neocog test", "")
    add_fields(parser, Choices)
    return given_fields(parser.parse(arguments), Choices)


def test_only_what_was_given_comes_back():
    assert parse() == {}
    assert parse("--epochs", "3") == {"epochs": 3}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--epochs=-3"], {"epochs": -3}),
        (["--learning-rate", "1e-3"], {"learning_rate": 0.001}),
        (["--learning-rate", "1"], {"learning_rate": 1.0}),
        (["--model", "none"], {"model": "none"}),
        (["--shuffle"], {"shuffle": True}),
        (["--no-shuffle"], {"shuffle": False}),
        (["--image-size", "32x48"], {"image_size": (32, 48)}),
        (["--image-size", "32×48"], {"image_size": (32, 48)}),
        (["--fit", "crop"], {"fit": "crop"}),
        (["--depth", "16"], {"depth": 16}),
        (["--augment", "flip", "cutout"], {"augment": ("flip", "cutout")}),
        (["--augment"], {"augment": ()}),
        (["--betas", "0.8", "0.9"], {"betas": (0.8, 0.9)}),
        (["--sizes", "1x2", "3x4"], {"sizes": ((1, 2), (3, 4))}),
        (["--weights", "a/b"], {"weights": Path("a/b")}),
        (["--weights", "~/b"], {"weights": Path.home() / "b"}),
        (["--steps", "none"], {"steps": None}),
        (["--steps", "7"], {"steps": 7}),
        (["--optimizer", "sgd"], {"optimizer": "sgd"}),
        (["--threads", "auto"], {"threads": "auto"}),
        (["--threads", "2"], {"threads": 2}),
    ],
)
def test_values_have_the_fields_types(arguments, expected):
    given = parse(*arguments)
    assert given == expected
    assert all(type(given[name]) is type(value) for name, value in expected.items())
    Choices(**given)


@pytest.mark.parametrize(
    ("arguments", "expected", "found", "remedy"),
    [
        (["--epochs", "many"], "a whole number for --epochs", "'many'", "write --epochs and a whole number"),
        (["--epochs", "2.5"], "a whole number for --epochs", "'2.5'", "write --epochs and a whole number"),
        (["--learning-rate", "fast"], "a number for --learning-rate", "'fast'", "write --learning-rate and a number"),
        (
            ["--image-size", "224"],
            "height and width in pixels for --image-size, as HEIGHTxWIDTH",
            "'224'",
            "write --image-size 224x224",
        ),
        (
            ["--image-size", "0x4"],
            "height and width in pixels for --image-size, as HEIGHTxWIDTH",
            "'0x4'",
            "write it as --image-size 224x224",
        ),
        (["--fit", "covr"], "one of the values of --fit", "'covr'", "did you mean cover?"),
        (["--fit", "zzz"], "one of the values of --fit", "'zzz'", "choose one of cover, crop"),
        (["--optimizer", "adm"], "one of the values of --optimizer", "'adm'", "did you mean adam?"),
        (["--betas", "0.8"], "the arguments of neocog test", "argument --betas: expected 2 arguments", "see neocog test --help"),
        (["--epoch", "3"], "a flag of neocog test", "'--epoch'", "did you mean --epochs or --depth?"),
        (["--threads", "few"], "one of the values of --threads", "'few'", "choose one of auto"),
    ],
)
def test_wrong_values_are_answered_in_words(arguments, expected, found, remedy):
    with pytest.raises(UsageError) as caught:
        parse(*arguments)
    assert (caught.value.expected, caught.value.found, caught.value.remedy) == (expected, found, remedy)


def test_help_shows_every_field_with_its_default(capsys):
    parser = Parser("neocog test", "")
    add_fields(parser, Choices, title="choices")
    with pytest.raises(SystemExit):
        parser.parse(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    for one in (one for one in fields(Choices) if one.metadata["flag"]):
        assert as_flag(one.name) in text
        assert one.metadata["help"] in text
    assert "choices:" in text
    assert "--epochs INT rounds over 100 % of the data (default 30)" in text
    assert "--image-size HEIGHTxWIDTH size (default 224x224)" in text
    assert "--fit {cover,crop} how (default cover)" in text
    assert "--shuffle, --no-shuffle whether (default yes)" in text
    assert "(default 0.9 0.999)" in text
    assert "--weights PATH file --steps" in text


def test_fields_can_be_left_out():
    parser = Parser("neocog test", "")
    add_fields(parser, Choices, skip={"epochs"})
    assert "--epochs" not in parser.flags()
    assert "--model" in parser.flags()


def test_a_type_that_no_flag_can_give_is_refused():
    @dataclass(frozen=True)
    class Odd:
        table: dict = field(default_factory=dict)

    with pytest.raises(TypeError, match=r"no flag can give <class 'dict'> \(--table\)"):
        add_fields(Parser("neocog test", ""), Odd)


def test_peeking_reads_what_it_can_and_complains_of_nothing():
    parser = Parser("neocog test", "")
    add_fields(parser, Choices)
    assert parser.peek(["--model", "resnet18", "--width", "3", "--help"]).model == "resnet18"
    assert not hasattr(parser.peek(["--epochs", "many"]), "epochs")


@pytest.mark.parametrize("registry", [DATASETS, LAYOUTS, TASKS, MODELS, OPTIMIZERS, SCHEDULES, AUGMENTATIONS], ids=lambda one: one.kind)
def test_the_options_of_every_member_can_be_flags(registry):
    for name in registry:
        parser = Parser("neocog test", "")
        options = registry[name].Options
        add_fields(parser, options)
        flags = [as_flag(one.name) for one in fields(options) if one.metadata["flag"]]
        assert set(flags) <= set(parser.flags())
        assert all(one.metadata["help"] and not one.metadata["help"].endswith(".") for one in fields(options))


def test_a_field_may_have_no_flag():
    parser = Parser("neocog test", "")
    add_fields(parser, Choices)
    assert "--table" not in parser.flags()


def test_a_field_may_name_its_value(capsys):
    @dataclass(frozen=True)
    class Named:
        weights: str = option("", "where they are", flag="FILE")

    parser = Parser("neocog test", "")
    add_fields(parser, Named)
    with pytest.raises(SystemExit):
        parser.parse(["--help"])
    assert "--weights FILE" in capsys.readouterr().out


@pytest.mark.parametrize(("text", "value"), [("8/255", 8 / 255), ("0.5", 0.5), ("-1e-3/2", -5e-4), ("3", 3.0)])
def test_a_fraction_is_a_number(text, value):
    assert as_float(text) == value


@pytest.mark.parametrize("text", ["1/0", "a/2", "1/2/3", "/", "8/", ""])
def test_what_is_no_fraction(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the texts of two makers
        as_float(text)
