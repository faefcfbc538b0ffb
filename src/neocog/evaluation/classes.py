"""Which output of a network stands for which class of a dataset, and targets in the network's classes."""

from dataclasses import replace

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.batch import Batch
from neocog.data.dataset import Dataset
from neocog.errors import DataError
from neocog.models.class_names import match_class_names
from neocog.run import Trained
from neocog.targets import Labels, Mask, Masks, Target

__all__ = ["in_classes", "match_classes", "target_in_classes"]


def match_classes(dataset: Dataset, trained: Trained) -> Int64[Tensor, "k"] | None:
    """For each class of the dataset the index of the network's output, as `match_class_names` finds it.

    A dataset may have some of the network's classes only.

    Returns:
        None when the classes are the same in the same order.

    Raises:
        DataError: the dataset has classes that the network does not know.
    """
    if dataset.class_names == trained.class_names or not dataset.class_names:
        return None
    found = match_class_names(dataset.class_names, dataset.class_ids, trained.class_names, trained.class_ids)
    unknown = [name for name, index in zip(dataset.class_names, found, strict=True) if index is None]
    if unknown:
        known = ", ".join(trained.class_names[:6]) + (", …" if len(trained.class_names) > 6 else "")
        raise DataError(
            f"classes that the network knows ({known})",
            f"{', '.join(unknown[:6])} in {dataset.name}",
            "rename the classes, by WordNet id where two of them share a name, or train on these data",
        )
    return torch.tensor(found, dtype=torch.int64)


def in_classes(batch: Batch, classes: Int64[Tensor, "k"] | None) -> Batch:
    """The batch with its labels or masks in a network's classes.

    Args:
        batch: targets in the dataset's classes; boxes and clean pictures stay as they are.
        classes: for each class of the dataset the network's output that stands for it; None when they are the same.
    """
    targets = batch.targets
    if classes is None:
        return batch
    if isinstance(targets, Labels):
        return replace(batch, targets=replace(targets, classes=classes[targets.classes], others=classes[targets.others]))
    if isinstance(targets, Masks):
        return replace(batch, targets=Masks(_renamed(targets.classes, targets.void, classes), Masks.void))
    return batch


def target_in_classes(target: Target, classes: Int64[Tensor, "k"] | None) -> Target:
    """One picture's mask in a network's classes; another target as it is.

    Args:
        target: in the dataset's classes.
        classes: see `in_classes`.
    """
    if classes is None or not isinstance(target, Mask):
        return target
    renamed = _renamed(target.classes.to(torch.int64), target.void, classes)
    return Mask(renamed.to(torch.int32).to(torch.uint16), Masks.void)


def _renamed(mask: Tensor, void: int | None, classes: Int64[Tensor, "k"]) -> Tensor:
    labelled = mask != (-1 if void is None else void)
    return torch.where(labelled, classes[mask.masked_fill(~labelled, 0)], Masks.void)
