"""Which output of a network stands for which class of a dataset."""

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.data.dataset import Dataset
from neocog.errors import DataError
from neocog.models.class_names import match_class_names
from neocog.run import Trained

__all__ = ["match_classes"]


def match_classes(dataset: Dataset, trained: Trained) -> Int64[Tensor, "k"] | None:
    """For each class of the dataset the index of the network's output, as `match_class_names` finds it.

    A dataset may have some of the network's classes only.

    Returns:
        None when the classes are the same in the same order.

    Raises:
        DataError: the dataset has classes that the network does not know.
    """
    if dataset.class_names == trained.class_names or dataset.task != "classify":
        return None
    found = match_class_names(dataset.class_names, dataset.class_ids, trained.class_names, trained.class_ids)
    unknown = [name for name, index in zip(dataset.class_names, found, strict=True) if index is None]
    if unknown:
        known = ", ".join(trained.class_names[:6]) + (", …" if len(trained.class_names) > 6 else "")
        raise DataError(
            f"classes that the network knows ({known})",
            f"{', '.join(unknown[:6])} in {dataset.name}",
            "rename the class folders, by WordNet id where two classes share a name, or train on these data",
        )
    return torch.tensor(found, dtype=torch.int64)
