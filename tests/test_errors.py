"""The tree of errors: exit codes, and the three lines that a person reads."""

import inspect

import pytest

from neocog import errors


def test_every_public_name_is_an_error_and_every_error_is_public():
    classes = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert classes == set(errors.__all__) - {"one_line"}


@pytest.mark.parametrize(
    ("name", "parent", "exit_code"),
    [
        ("UsageError", "NeocogError", 2),
        ("RecipeError", "UsageError", 2),
        ("DataError", "NeocogError", 3),
        ("PictureError", "DataError", 3),
        ("WeightsError", "DataError", 3),
        ("RunError", "DataError", 3),
        ("SurroundingsError", "NeocogError", 4),
        ("DivergedError", "NeocogError", 5),
        ("Interrupted", "NeocogError", 130),
    ],
)
def test_exit_codes_and_parents_are_those_of_the_drawing(name, parent, exit_code):
    error = getattr(errors, name)
    assert error.__bases__ == (getattr(errors, parent),)
    assert error.exit_code == exit_code
    drawn = next(line for line in (errors.__doc__ or "").splitlines() if f"── {name} " in line)
    assert drawn.split(name)[1].split()[0] == str(exit_code)


def test_an_error_says_what_was_expected_what_was_found_and_what_to_do():
    error = errors.DataError("a folder of pictures", "photos/ is empty", "put pictures into it")
    assert str(error) == "expected: a folder of pictures\nfound: photos/ is empty\nto do: put pictures into it"
    assert (error.expected, error.found, error.remedy) == ("a folder of pictures", "photos/ is empty", "put pictures into it")


def test_an_error_survives_being_sent_between_processes():
    import pickle

    error = pickle.loads(pickle.dumps(errors.RunError("a run", "none", "train one")))
    assert isinstance(error, errors.RunError)
    assert error.found == "none"


def test_an_error_is_three_lines_and_no_order_to_a_terminal_whatever_a_file_is_called():
    error = errors.DataError("a picture", "a\nb\r\x1b[31m\u2028\udce9.png", "rename it, été")
    assert str(error).splitlines() == ["expected: a picture", "found: a\\nb\\r\\x1b[31m\\u2028\\udce9.png", "to do: rename it, été"]
