"""The full state of a training in one file, written whole, checked when it is read."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from neocog.errors import RunError, WeightsError
from neocog.files import make_folder
from neocog.models import read_state, write_weights
from neocog.models.state import as_bytes

__all__ = ["Checkpoint", "State", "latest", "prune", "read_checkpoint", "write_checkpoint"]

KEPT = 2
NAME = re.compile(r"step-(\d{9,})\.safetensors")


@dataclass
class State:
    """Where a training stands, apart from its tensors.

    Attributes:
        epoch: the current epoch, counted from 0.
        step: steps done in all.
        steps_in_epoch: steps done in the epoch that goes on.
        loss_sum: of this epoch, each picture's loss added up.
        pictures: seen in this epoch.
        seconds: spent on this epoch's training steps.
        best: of the primary metric so far; None before the first validation.
        best_epoch: which epoch's weights weights.safetensors holds, counted from 1; of equal ones the last.
        better_epoch: the first of these equal ones.
        rows: of metrics.csv.
        start_loss: of the first step; None before it.
        steps_above: how many of the last steps in a row had a higher loss than the first.
    """

    epoch: int = 0
    step: int = 0
    steps_in_epoch: int = 0
    loss_sum: float = 0.0
    pictures: int = 0
    seconds: float = 0.0
    best: float | None = None
    best_epoch: int = 0
    better_epoch: int = 0
    rows: list[dict[str, float]] = field(default_factory=list)
    start_loss: float | None = None
    steps_above: int = 0

    def start_epoch(self, epoch: int) -> None:
        """Begin an epoch with empty sums."""
        self.epoch, self.steps_in_epoch = epoch, 0
        self.loss_sum, self.pictures, self.seconds = 0.0, 0, 0.0


@dataclass(frozen=True)
class Checkpoint:
    """What was read.

    Attributes:
        state: where the training stood.
        tensors: by "model/…", "average/…" and "optimizer/…".
        preprocess: how the network wanted its images.
        path: of the file.
    """

    state: State
    tensors: dict[str, Tensor]
    preprocess: dict[str, Any]
    path: Path

    def part(self, name: str) -> dict[str, Tensor]:
        """The tensors below "name/"."""
        return {key.removeprefix(f"{name}/"): tensor for key, tensor in self.tensors.items() if key.startswith(f"{name}/")}

    def restore(self, name: str, model: nn.Module) -> None:
        """Give a network the state below "name/".

        Raises:
            RunError: it is that of another network.
        """
        try:
            model.load_state_dict(self.part(name))
        except RuntimeError as error:
            remedy = "put recipe.toml and checkpoints of one run together again, or train anew into another folder"
            raise RunError("a checkpoint of the recipe's network", f"{self.path} {_misfit(self.part(name), model)}", remedy) from error


def write_checkpoint(folder: Path, state: State, parts: Mapping[str, Mapping[str, Tensor]], preprocess: Mapping[str, Any]) -> Path:
    """Write a checkpoint named by its step.

    Args:
        folder: of the checkpoints.
        state: where the training stands.
        parts: groups of tensors by name.
        preprocess: how the network wants its images.

    Raises:
        SurroundingsError: the disk is full, or the folder cannot be written to; older checkpoints are untouched.
    """
    make_folder(folder)
    # In main memory and in order once, for the checksum and the file alike.
    tensors = {f"{part}/{name}": tensor.detach().cpu().contiguous() for part, group in parts.items() for name, tensor in group.items()}
    rows = [list(row.items()) for row in state.rows]  # pairs, because JSON objects are written in alphabetical order
    facts = {"state": {**asdict(state), "rows": rows}, "preprocess": dict(preprocess)}
    path = folder / f"step-{state.step:09d}.safetensors"
    write_weights(path, tensors, {**facts, "sha256": _digest(tensors, facts)})
    return path


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint and check that it is what was written.

    Raises:
        RunError: it is damaged or cut short.
    """
    remedy = "take the file away; the one before it is then used"
    try:
        file = read_state(path)
    except WeightsError as error:
        raise RunError("a whole checkpoint", error.found, remedy) from error
    facts = {name: file.metadata.get(name) for name in ("state", "preprocess")}
    if "sha256" not in file.metadata or file.metadata["sha256"] != _digest(file.tensors, facts):
        raise RunError("a whole checkpoint", f"{path}, whose content does not match its checksum", remedy)
    try:
        state = {**facts["state"], "rows": [dict(row) for row in facts["state"]["rows"]]}  # type: ignore[dict-item,index]
        return Checkpoint(State(**state), file.tensors, facts["preprocess"], path)  # type: ignore[arg-type]
    except (TypeError, ValueError, KeyError) as error:
        raise RunError(
            "a checkpoint of this version", f"{path}, written by another ({error})", "resume with the version that wrote it"
        ) from error


def latest(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """The newest checkpoint that is whole, and what is wrong with newer ones.

    Raises:
        RunError: there are checkpoints, and none is whole.
    """
    faults: list[str] = []
    for _, path in sorted(_checkpoints(folder).items(), reverse=True):
        try:
            return read_checkpoint(path), faults
        except RunError as error:
            faults.append(error.found)
    if faults:
        raise RunError("a whole checkpoint", faults[0], "restore the checkpoint folder from a copy, or train anew into another folder")
    return None, []


def prune(folder: Path, epoch_ends: Mapping[int, int], keep_every: int) -> None:
    """Remove checkpoints that are no longer needed.

    The last two ends of epochs stay, the last two within the epoch that goes on, and the end of every
    `keep_every`-th epoch. What is there at the end thus does not depend on where the training was stopped.

    Args:
        folder: of the checkpoints.
        epoch_ends: for the step after which an epoch ended, that epoch, counted from 1.
        keep_every: 0 keeps no earlier epochs.
    """
    steps = _checkpoints(folder)
    ends = [step for step in steps if step in epoch_ends]
    since = [step for step in steps if step > max(ends, default=-1)]
    kept = {*ends[-KEPT:], *since[-KEPT:], *(step for step in ends if keep_every and epoch_ends[step] % keep_every == 0)}
    for step in steps.keys() - kept:
        steps[step].unlink()


def _checkpoints(folder: Path) -> dict[int, Path]:
    """The checkpoints by their steps, ascending; files that a person put beside them are none."""
    found = ((NAME.fullmatch(path.name), path) for path in folder.glob("*.safetensors"))
    return dict(sorted((int(match[1]), path) for match, path in found if match))


def _digest(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        digest.update(as_bytes(tensors[name]))
    return digest.hexdigest()


def _misfit(tensors: Mapping[str, Tensor], model: nn.Module) -> str:
    """How a state first differs from what a network holds."""
    own = model.state_dict()
    for name, tensor in own.items():
        if name not in tensors:
            return f"without {name}"
        if tensors[name].shape != tensor.shape:
            return f"with {name} of shape {list(tensors[name].shape)}, not {list(tensor.shape)}"
    return f"with {next((name for name in tensors if name not in own), 'what')}, which that has not"
