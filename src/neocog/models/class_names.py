"""Which classes of two lists are the same class."""

from collections import Counter
from collections.abc import Sequence

from neocog.models.imagenet import imagenet_classes

__all__ = ["imagenet_ids", "match_class_names"]


def match_class_names(names: Sequence[str], ids: Sequence[str], known_names: Sequence[str], known_ids: Sequence[str]) -> list[int | None]:
    """The place of each class in another list: by WordNet identifier, else by name.

    Case, spaces, hyphens and underscores of a name do not count. A name that either list has twice says nothing,
    and a name may itself be an identifier.

    Args:
        names: of the classes that are looked for.
        ids: their identifiers; empty where they have none.
        known_names: of the classes among which they are looked for.
        known_ids: their identifiers; empty where they have none.

    Returns:
        For each class its index among the known ones; None where there is none.
    """
    by_id = {wnid: index for index, wnid in enumerate(known_ids)}
    wanted, known = [[_plain(name) for name in those] for those in (names, known_names)]
    once = _once(wanted) & _once(known)
    by_name = {name: index for index, name in enumerate(known) if name in once}
    return [by_id.get(wnid, by_name.get(name)) for wnid, name in zip(ids or names, wanted, strict=True)]


def imagenet_ids(names: Sequence[str]) -> tuple[str, ...]:
    """The WordNet identifiers of ImageNet's classes, if these are their names in their order; else empty."""
    classes = imagenet_classes()
    return tuple(item.wnid for item in classes) if tuple(names) == tuple(item.name for item in classes) else ()


def _once(names: Sequence[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if count == 1}


def _plain(name: str) -> str:
    """A name without what people write differently."""
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())
