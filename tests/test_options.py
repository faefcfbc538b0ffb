"""Options declare themselves once: help, bounds, and the error that a wrong value gets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pytest

from neocog.errors import RecipeError
from neocog.options import check, option, options_of


@dataclass(frozen=True)
class Options:
    rate: float = option(0.5, "a rate", low=0, high=1)
    count: int = option(3, "a count", low=1)
    on: bool = option(False, "a switch")
    spread: tuple[float, float] = option((0.1, 0.2), "from lowest to highest", low=0, ordered=True)
    places: tuple[float, ...] = option((0.5, 0.75), "any number of places", low=0, high=1)
    weights: tuple[float, ...] = option((), "as many as there are, or none", above=0)
    size: tuple[int, int] = option((64, 64), "height and width", low=16)
    name: str = option("ant", "a name")
    kind: Literal["max", "average"] = option("max", "a choice")
    steps: int | None = option(None, "whole, or open", low=1)

    def __post_init__(self):
        check(self)


DEFAULTS = {
    "rate": "0.5",
    "count": "3",
    "on": "False",
    "spread": "[0.1, 0.2]",
    "places": "[0.5, 0.75]",
    "weights": "[]",
    "size": "64x64",
    "name": "'ant'",
    "kind": "'max'",
}


def test_right_values_pass():
    Options(rate=1, count=7, on=True, spread=(0.0, 5), places=(0.1, 0.2, 0.3), weights=(), size=(16, 99), name="", kind="average", steps=2)


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("rate", 1.1, "a number from 0 to 1"),
        ("rate", float("nan"), "a number from 0 to 1"),
        ("rate", "much", "a number from 0 to 1"),
        ("rate", True, "a number from 0 to 1"),
        ("count", 0, "a whole number of at least 1"),
        ("count", 1.5, "a whole number of at least 1"),
        ("on", 1, "true or false"),
        ("spread", (0.3, 0.2), "2 numbers of at least 0, the lower first"),
        ("spread", (0.1, 0.2, 0.3), "2 numbers of at least 0, the lower first"),
        ("spread", 0.1, "2 numbers of at least 0, the lower first"),
        ("places", (), "a list of numbers from 0 to 1"),
        ("places", (0.1, 2.0), "a list of numbers from 0 to 1"),
        ("places", [0.1], "a list of numbers from 0 to 1"),
        ("weights", (1.0, 0.0), "a list of numbers above 0"),
        ("weights", (float("inf"),), "a list of numbers above 0"),
        ("size", (16, 8), "a size HEIGHTxWIDTH of at least 16"),
        ("size", "32x32", "a size HEIGHTxWIDTH of at least 16"),
        ("name", 3, "a text"),
        ("kind", "min", "'max' or 'average'"),
        ("steps", 0, "a whole number of at least 1"),
    ],
)
def test_wrong_values_are_refused_by_name(field, value, wanted):
    with pytest.raises(RecipeError) as caught:
        Options(**{field: value})
    default = f"; the default is {DEFAULTS[field]}" if field in DEFAULTS else ""
    assert str(caught.value) == f"expected: {field} to be {wanted}\nfound: {value!r}\nto do: give {field} {wanted}{default}"


@dataclass(frozen=True)
class Choices:
    count: int = 3
    share: float = 0.5
    kind: Literal["max", "average"] = "max"
    spread: tuple[float, float] = (0.0, 1.0)
    widths: tuple[int, ...] = (3,)
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class NoChoices:
    pass


@dataclass(frozen=True)
class Named:
    names: Mapping[str, str] = option({}, "a name for each", flag=False)


def test_options_from_a_table():
    given = {"count": 4, "share": 1, "kind": "average", "spread": [0, 2], "widths": [1, 2, 3], "size": "8x9"}
    assert options_of(Choices, given, "the thing") == Choices(4, 1.0, "average", (0.0, 2.0), (1, 2, 3), (8, 9))
    assert options_of(Choices, {}, "the thing") == Choices()
    assert options_of(Choices, {"size": None}, "the thing") == Choices()
    assert options_of(Named, {"names": {"a": "ant"}}, "the thing").names == {"a": "ant"}
    assert options_of(Named, {}, "the thing").names == {}


@pytest.mark.parametrize(
    ("options", "table", "text"),
    [
        (Choices, {"cont": 1}, "an option of the thing\nfound: 'cont'\nto do: did you mean count?"),
        (Choices, {"other": 1}, "an option of the thing\nfound: 'other'\nto do: choose one of count, kind, share, size, spread, widths"),
        (NoChoices, {"other": 1}, "an option of the thing\nfound: 'other'\nto do: leave it out: the thing has no options"),
        (Choices, {"count": 1.5}, "a whole number for count of the thing\nfound: 1.5\nto do: give a value of that kind, as 3"),
        (Choices, {"kind": "min"}, "'max' or 'average' for kind of the thing\nfound: 'min'\nto do: choose one of max, average"),
        (Choices, {"spread": [1]}, "2 numbers for spread of the thing\nfound: [1]\nto do: give a value of that kind, as [0.0, 1.0]"),
        (Choices, {"size": "8"}, "a size HEIGHTxWIDTH for size of the thing\nfound: '8'\nto do: give a value of that kind"),
        (Choices, {"kind": 3}, "'max' or 'average' for kind of the thing\nfound: 3\nto do: give a value of that kind, as 'max'"),
        (Named, {"names": {"a": 1}}, "a table for names of the thing\nfound: {'a': 1}\nto do: give a value of that kind"),
        (
            Choices,
            {"widths": [1.5]},
            "a list of whole numbers for widths of the thing\nfound: [1.5]\nto do: give a value of that kind, as [3]",
        ),
    ],
)
def test_wrong_options_are_refused(options, table, text):
    with pytest.raises(RecipeError) as caught:
        options_of(options, table, "the thing")
    assert str(caught.value) == f"expected: {text}"
