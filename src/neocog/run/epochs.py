"""A run's network as it was at the ends of earlier epochs, out of the checkpoints that the training kept."""

import copy
import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from neocog.errors import RunError, UsageError, WeightsError
from neocog.models import read_state
from neocog.run.folder import CHECKPOINTS
from neocog.run.trained import Trained

__all__ = ["KeptEpoch", "at_epoch", "kept_epochs"]

NAME = re.compile(r"step-(\d{9,})\.safetensors")
PARTS = ("average/", "model/")  # averaged weights are what is evaluated, where there are any
FEWEST = 2


class KeptEpoch(NamedTuple):
    """The end of an epoch.

    Attributes:
        epoch: counted from 1.
        path: of its checkpoint.
    """

    epoch: int
    path: Path


def kept_epochs(trained: Trained) -> list[KeptEpoch]:
    """The epochs whose ends are there, in their order.

    Raises:
        UsageError: the network is of no run, or fewer than two were kept.
        RunError: metrics.csv, which tells which checkpoint is of which epoch, is damaged.
    """
    if trained.folder is None:
        raise UsageError("a run, to look back over its epochs", f"{trained.name}, which was made on the spot", "train it first")
    ends = {int(row["step"]): int(row["epoch"]) for row in trained.folder.metrics()}
    names = ((NAME.fullmatch(path.name), path) for path in (trained.folder.path / CHECKPOINTS).glob("*.safetensors"))
    steps = {int(match[1]): path for match, path in names if match}
    found = [KeptEpoch(ends[step], path) for step, path in sorted(steps.items()) if step in ends]
    if len(found) < FEWEST:
        kept = f"{len(found)} in {trained.folder.path}"
        raise UsageError("a run that kept two epochs at least", kept, "train with --keep-every 1, or another number")
    return found


def at_epoch(trained: Trained, kept: KeptEpoch) -> Trained:
    """The network as it was at the end of an epoch: with averaged weights where the training kept them.

    Args:
        trained: of the run; stays as it is.
        kept: one of its `kept_epochs`.

    Raises:
        RunError: the checkpoint is damaged, or of another network.
    """
    remedy = "take the file away; the other epochs are then shown"
    try:
        tensors = read_state(kept.path).tensors
    except WeightsError as error:
        raise RunError("a whole checkpoint", error.found, remedy) from error
    part = next((part for part in PARTS if any(name.startswith(part) for name in tensors)), PARTS[-1])
    own = {name.removeprefix(part): tensor for name, tensor in tensors.items() if name.startswith(part)}
    model = copy.deepcopy(trained.model)
    try:
        model.load_state_dict(own)
    except RuntimeError as error:
        raise RunError("a checkpoint of the run's own network", f"{kept.path}: {str(error).splitlines()[0]}", remedy) from error
    return replace(trained, model=model.eval())
