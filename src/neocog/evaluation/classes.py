"""Which output of a network stands for which class of a dataset."""

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.data.dataset import Dataset
from neocog.errors import DataError
from neocog.run import Trained

__all__ = ["match_classes"]


def match_classes(dataset: Dataset, trained: Trained) -> Int64[Tensor, "k"] | None:
    """For each class of the dataset the index of the network's output: by WordNet id, else by name.

    Case, spaces, hyphens and underscores do not count. A dataset may have some of the network's classes only.

    Returns:
        None when the classes are the same in the same order.

    Raises:
        DataError: the dataset has classes that the network does not know.
    """
    if dataset.class_names == trained.class_names or dataset.task != "classify":
        return None
    by_id = {wnid: index for index, wnid in enumerate(trained.class_ids)}
    by_name = {plain(name): index for index, name in reversed(list(enumerate(trained.class_names)))}
    ids = dataset.class_ids or dataset.class_names
    found = [by_id.get(wnid, by_name.get(plain(name))) for wnid, name in zip(ids, dataset.class_names, strict=True)]
    unknown = [name for name, index in zip(dataset.class_names, found, strict=True) if index is None]
    if unknown:
        known = ", ".join(trained.class_names[:6]) + (", …" if len(trained.class_names) > 6 else "")
        raise DataError(
            f"classes that the network knows ({known})",
            f"{', '.join(unknown[:6])} in {dataset.name}",
            "rename the class folders, or train on these data",
        )
    return torch.tensor(found, dtype=torch.int64)


def plain(name: str) -> str:
    """A name without what people write differently."""
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())
