"""Flags from dataclasses, and back to the fields that were given."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal

import pytest

from neocog.cli.flags import add_fields, as_flag, given_fields
from neocog.cli.parser import Parser
from neocog.errors import UsageError
from neocog.images import Size


def described(text, default=None, **metadata):
    return field(default=default, metadata={"help": text, **metadata})


@dataclass(frozen=True)
class Choices:
    """One field of each kind."""

    epochs: int = described("rounds over 100 % of the data", 30)
    learning_rate: float = described("first learning rate", 0.001)
    model: str = described("name", "lenet5")
    shuffle: bool = described("whether", True)
    image_size: Size = described("size", (224, 224))
    fit: Literal["cover", "crop"] = described("how", "cover")
    depth: Literal[8, 16] = described("bits", 8)
    augment: tuple[str, ...] = described("members", ("flip",))
    betas: tuple[float, float] = described("decays", (0.9, 0.999))
    sizes: tuple[Size, ...] = described("several", ())
    weights: Path | None = described("file")
    steps: int | None = described("steps", 5)
    optimizer: str = described("which", "adam", choices=lambda: ["adam", "sgd"])
    threads: int | Literal["auto"] = described("how many", "auto")


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
    for one in fields(Choices):
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


def test_help_falls_back_on_the_docstring(capsys):
    @dataclass(frozen=True)
    class Documented:
        """What can be chosen.

        Attributes:
            width: channels of the first block; each later block
                has twice as many.
            dropout: a probability.
        """

        width: int = 32
        dropout: float = 0.0

    parser = Parser("neocog test", "")
    add_fields(parser, Documented)
    with pytest.raises(SystemExit):
        parser.parse(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "--width INT channels of the first block; each later block has twice as many (default 32)" in text
    assert "--dropout FLOAT a probability (default 0)" in text
