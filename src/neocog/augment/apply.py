"""How the members of this folder are put together, and how a picture is placed where nothing is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.augment.geometry import picture_sizes, warp
from neocog.augment.member import AUGMENTATIONS, Change, Colour, Draw, Frame, Geometry, Member, identity
from neocog.augment.recolour import recolour
from neocog.batch import Batch, Fit, fit_matrices
from neocog.errors import UsageError
from neocog.images import Size
from neocog.targets import Labels

__all__ = ["augment", "place"]

STAGES = ("noise", "cutout", "mix")


@dataclass(frozen=True)
class _Chosen:
    name: str
    member: Member
    options: Any
    draw: Draw


def augment(  # noqa: PLR0913 - the last three say together when this is
    batch: Batch,
    members: Mapping[str, Any],
    *,
    fit: Fit,
    size: Size,
    geometry: Literal["affine", "exact"] = "affine",
    seed: int,
    epoch: int,
    step: int,
) -> Batch:
    """Bring training pictures to the network's input, changed at random.

    All geometry is one matrix a picture; then colour, noise, cutout and mixing follow. Within one stage the
    order is alphabetical. What happens to a picture depends on the seed, the epoch and its key, never on the
    rest of the batch; only mixing goes by the step. With fit "crop" the window's place is drawn too.

    Args:
        batch: as the loader gives it.
        members: options by the member's name; see `AUGMENTATIONS`.
        fit: how a picture meets the input, unless a member cuts out its own window; "native" pictures keep their size.
        size: height and width of the network's input; of no account for "native".
        geometry: "exact" admits only what keeps every pixel's value.
        seed: the recipe's seed.
        epoch: counted from 0.
        step: counted from 0 over the whole training.

    Returns:
        Pixels uint8 as long as nothing asks for more, else float32 in [0, 1].

    Raises:
        UsageError: an unknown member, one that cannot work with these targets or this geometry, or two that
            each cut out a window.
    """
    if not members and (fit != "crop" or (size == _raster(batch) and batch.valid is None)):
        return place(batch, fit, size)
    chosen = [_Chosen(name, AUGMENTATIONS[name], members[name], Draw(seed, name, epoch, step, batch.keys)) for name in sorted(members)]
    _refuse_misfits(chosen, batch, fit, geometry)
    frame = Frame(picture_sizes(batch), _raster(batch) if fit == "native" else size)
    matrices = _matrices(chosen, frame, fit, Draw(seed, "crop", epoch, step, batch.keys))
    batch = warp(batch, matrices, frame.size, reflect=any(getattr(one.options, "crop_reflect", False) for one in chosen))
    return _recoloured_and_changed(chosen, batch, Draw(seed, "mix", epoch, step, batch.keys))


def place(batch: Batch, fit: Fit, size: Size) -> Batch:
    """Bring pictures to the network's input with nothing drawn at random.

    Args:
        batch: as the loader gives it.
        fit: how a picture meets the input.
        size: height and width of the input; of no account for "native".
    """
    if fit == "native" or (size == _raster(batch) and batch.valid is None):
        return batch
    return warp(batch, _fitted(fit, picture_sizes(batch), size), size)


def _raster(batch: Batch) -> Size:
    height, width = batch.pixels.shape[2:]
    return height, width


def _fitted(fit: Fit, sizes: Tensor, size: Size) -> Float[Tensor, "b 3 3"]:
    """The fit's maps; a map that does not scale moves by whole pixels, so that it blurs nothing."""
    matrices = fit_matrices(fit, sizes, size).to(torch.float64)
    unscaled = matrices[:, 0, 0] == 1
    matrices[unscaled, :2, 2] = matrices[unscaled, :2, 2].floor()
    return matrices


def _matrices(chosen: Sequence[_Chosen], frame: Frame, fit: Fit, crop: Draw) -> Float[Tensor, "b 3 3"]:
    """The maps from the pictures to the input, all geometry in one."""
    matrices = _fitted(fit, frame.sizes, frame.size) if fit != "crop" else _random_crop(frame, crop)
    geometry = [(one, one.member) for one in chosen if isinstance(one.member, Geometry)]
    for one, member in geometry:
        if member.window:
            matrices = member.matrices(one.options, one.draw, frame)
    for one, member in geometry:
        if not member.window:
            matrices = member.matrices(one.options, one.draw, frame) @ matrices
    return matrices


def _random_crop(frame: Frame, draw: Draw) -> Float[Tensor, "b 3 3"]:
    """Windows of the input's size anywhere in the pictures; a smaller picture comes to lie in the middle."""
    matrices = identity(len(frame.sizes), frame.sizes.device)
    spare = frame.sizes - torch.tensor(frame.size, device=frame.sizes.device)
    drawn = torch.floor(draw.uniform(2) * (spare + 1)).long()
    offset = torch.where(spare > 0, drawn, torch.div(spare, 2, rounding_mode="floor"))
    matrices[:, :2, 2] = -offset.flip(1).to(torch.float64)
    return matrices


def _recoloured_and_changed(chosen: Sequence[_Chosen], batch: Batch, lot: Draw) -> Batch:
    for one in chosen:
        if isinstance(one.member, Colour):
            batch = recolour(batch, partial(one.member.matrices, one.options, one.draw))
    for stage in STAGES:
        changes = [(one, one.member) for one in chosen if isinstance(one.member, Change) and one.member.stage == stage]
        if stage == "mix" and len(changes) > 1:
            changes = [changes[int(lot.of_step().integers(len(changes)))]]
        for one, member in changes:
            batch = member.change(one.options, one.draw, batch)
    return batch


def _refuse_misfits(chosen: Sequence[_Chosen], batch: Batch, fit: Fit, geometry: str) -> None:
    windows = [one.name for one in chosen if isinstance(one.member, Geometry) and one.member.window]
    if len(windows) > 1:
        raise UsageError("one augmentation that cuts out a window", " and ".join(windows), "leave all but one away")
    if geometry == "exact":
        _refuse_inexact(chosen, fit)
    mixing = [one.name for one in chosen if isinstance(one.member, Change) and one.member.stage == "mix"]
    if mixing and not isinstance(batch.targets, Labels):
        raise UsageError("pictures with one label each", f"{mixing[0]} with targets of another kind", f"leave {mixing[0]} away")


def _refuse_inexact(chosen: Sequence[_Chosen], fit: Fit) -> None:
    for one in chosen:
        if isinstance(one.member, Geometry) and not one.member.exact:
            admitted = [name for name in AUGMENTATIONS if isinstance(it := AUGMENTATIONS[name], Geometry) and it.exact]
            raise UsageError("geometry that keeps every pixel's value", one.name, f"choose among {', '.join(admitted)}")
    if fit not in ("crop", "native"):
        raise UsageError("pictures at their own scale: the fit crop or native", f"the fit {fit}", "use the fit crop")
