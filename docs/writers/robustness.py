"""Tables of what makes pictures of nothing, spoils pictures, or hardens a network."""

from neocog.attack.corruptions import CORRUPTIONS
from neocog.attack.encodings import ENCODINGS
from neocog.training.adversarial import ADVERSARIES
from writers.markdown import options, sentence, table

__all__ = ["adversaries", "corruptions", "encodings"]


def corruptions() -> str:
    """Every corruption with its five strengths, for small images and for large ones."""
    headings = ("name", "what it does", "strengths 1 to 5, up to 64 pixels", "larger", "unit", "source")
    rows = (
        (f"`{name}`", member.summary, _amounts(member.amounts), _amounts(member.amounts_of_large), member.unit, member.source)
        for name, member in ((name, CORRUPTIONS[name]) for name in CORRUPTIONS)
    )
    return table(headings, rows)


def encodings() -> str:
    """Every encoding of pictures that evolve."""
    rows = ((f"`{name}`", ENCODINGS[name].summary, ENCODINGS[name].source) for name in ENCODINGS)
    return table(("encoding", "what evolves", "source"), rows)


def adversaries() -> str:
    """Every form of adversarial training with its options."""
    return table(("name", "what it does", "options"), ((f"`{name}`", sentence(kind), options(kind)) for name, kind in ADVERSARIES.items()))


def _amounts(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)
