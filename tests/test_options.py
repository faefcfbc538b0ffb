"""Options declare themselves once: help, bounds, and the error that a wrong value gets."""

from dataclasses import dataclass

import pytest

from neocog.errors import RecipeError
from neocog.options import check, option


@dataclass(frozen=True)
class Options:
    rate: float = option(0.5, "a rate", low=0, high=1)
    count: int = option(3, "a count", low=1)
    on: bool = option(False, "a switch")
    spread: tuple[float, float] = option((0.1, 0.2), "from lowest to highest", low=0, ordered=True)
    places: tuple[float, ...] = option((0.5, 0.75), "any number of places", low=0, high=1)

    def __post_init__(self):
        check(self)


def test_right_values_pass():
    Options(rate=1, count=7, on=True, spread=(0.0, 5), places=(0.1, 0.2, 0.3))


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
        ("places", (), "numbers from 0 to 1"),
        ("places", (0.1, 2.0), "numbers from 0 to 1"),
    ],
)
def test_wrong_values_are_refused_by_name(field, value, wanted):
    with pytest.raises(RecipeError) as caught:
        Options(**{field: value})
    default = getattr(Options(), field)
    assert (
        str(caught.value) == f"expected: {field} to be {wanted}\nfound: {value!r}\nto do: give {field} {wanted}; the default is {default}"
    )
