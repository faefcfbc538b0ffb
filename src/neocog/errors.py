"""Every error that neocog raises on purpose.

    NeocogError
    ├── UsageError            2    the request makes no sense: an unknown name, a wrong value
    │   └── RecipeError       2    a recipe with an unknown key or a wrong value
    ├── DataError             3    the data are at fault
    │   ├── PictureError      3    one picture cannot be used (set aside and named, unless it is all there is)
    │   ├── WeightsError      3    a weights file that cannot be used
    │   └── RunError          3    a run folder that is not whole
    ├── SurroundingsError     4    the environment is at fault: memory, disk, a missing package, no network
    ├── DivergedError         5    the training diverged
    └── Interrupted         130    stopped by a signal; nothing that was written is lost

The number is the exit code of the command line. Each error says what was expected, what was found and
what to do, one line each; the command line prints exactly these lines.
"""

from typing import ClassVar

__all__ = [
    "DataError",
    "DivergedError",
    "Interrupted",
    "NeocogError",
    "PictureError",
    "RecipeError",
    "RunError",
    "SurroundingsError",
    "UsageError",
    "WeightsError",
    "one_line",
]


class NeocogError(Exception):
    """The root of the tree: three short texts, each one line.

    Args:
        expected: what would have been right.
        found: what was there instead, with the file's name where there is one.
        remedy: what the person can do about it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, expected: str, found: str, remedy: str) -> None:
        expected, found, remedy = map(one_line, (expected, found, remedy))
        super().__init__(expected, found, remedy)
        self.expected = expected
        self.found = found
        self.remedy = remedy

    def __str__(self) -> str:
        return f"expected: {self.expected}\nfound: {self.found}\nto do: {self.remedy}"


def one_line(text: str) -> str:
    r"""The text on one line: a file's name may hold ends of lines, and signs that a terminal obeys; they stand as `\n` and `\x1b`."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


class UsageError(NeocogError):
    """The request makes no sense."""

    exit_code = 2


class RecipeError(UsageError):
    """A recipe has an unknown key or a wrong value."""


class DataError(NeocogError):
    """The data are at fault."""

    exit_code = 3


class PictureError(DataError):
    """One picture cannot be used.

    Args:
        kind: what is wrong in one word, so that like faults can be counted: "empty", "foreign" (not a picture),
            "damaged", "bomb", "deep" (more than 16 bits), "colours" (a mask's, without a table), "missing",
            "unreadable".
    """

    def __init__(self, expected: str, found: str, remedy: str, kind: str = "damaged") -> None:
        super().__init__(expected, found, remedy)
        self.kind = kind


class WeightsError(DataError):
    """A weights file cannot be used."""


class RunError(DataError):
    """A run folder is not whole, or is not a run."""


class SurroundingsError(NeocogError):
    """The environment is at fault: memory, disk, a missing package, no network, a locked folder."""

    exit_code = 4


class DivergedError(NeocogError):
    """The loss is no longer a number."""

    exit_code = 5


class Interrupted(NeocogError):
    """A signal stopped the work; what a training had done is in its checkpoint, where it had done any."""

    exit_code = 130
