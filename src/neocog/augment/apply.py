"""How the members of this folder are put together, and how a picture is placed where nothing is drawn."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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

__all__ = ["augment", "augment_each", "fitted", "mix", "place", "require_exact"]

STAGES = ("noise", "cutout")
MIXING = "mix"


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
    batch = augment_each(batch, members, fit=fit, size=size, geometry=geometry, seed=seed, epoch=epoch)
    return mix(batch, members, seed=seed, epoch=epoch, step=step)


def augment_each(
    batch: Batch,
    members: Mapping[str, Any],
    *,
    fit: Fit,
    size: Size,
    geometry: Literal["affine", "exact"] = "affine",
    seed: int,
    epoch: int,
) -> Batch:
    """All that `augment` does but for mixing: pictures of several steps may thus be in one batch.

    Args, Returns, Raises: as `augment`.
    """
    if not members and (fit != "crop" or (size == _raster(batch) and batch.valid is None)):
        return place(batch, fit, size)
    chosen = _chosen(members, Draw(seed, "", epoch, None, batch.keys))
    _refuse_misfits(chosen, batch, fit, geometry)
    frame = Frame(picture_sizes(batch), _raster(batch) if fit == "native" else size)
    matrices = _matrices(chosen, frame, fit, Draw(seed, "crop", epoch, None, batch.keys))
    batch = warp(batch, matrices, frame.size, reflect=any(getattr(one.options, "crop_reflect", False) for one in chosen))
    return _recoloured_and_changed(chosen, _in_one_layout(batch, chosen))


def mix(batch: Batch, members: Mapping[str, Any], *, seed: int, epoch: int, step: int) -> Batch:
    """Mix the pictures of a step with one another, by one of those members that do; without any nothing changes.

    Args:
        batch: as `augment_each` gives it, with the labels of its pictures.
        members: options by the member's name, of all members.
        seed: the recipe's seed.
        epoch: counted from 0.
        step: counted from 0 over the whole training.
    """
    lot = Draw(seed, MIXING, epoch, step, batch.keys)
    changes = _changes(_chosen(members, lot), MIXING)
    if not changes:
        return batch
    one, member = changes[int(lot.of_step().integers(len(changes)))] if len(changes) > 1 else changes[0]
    return member.change(one.options, one.draw, batch)


def place(batch: Batch, fit: Fit, size: Size) -> Batch:
    """Bring pictures to the network's input with nothing drawn at random.

    Args:
        batch: as the loader gives it.
        fit: how a picture meets the input.
        size: height and width of the input; of no account for "native".
    """
    if fit == "native" or (size == _raster(batch) and batch.valid is None):
        return batch
    return warp(batch, fitted(batch, fit, size), size)


def fitted(batch: Batch, fit: Fit, size: Size) -> Float[Tensor, "b 3 3"]:
    """The maps by which `place` brings pictures to the network's input, float64.

    Args:
        batch: as the loader gives it.
        fit: how a picture meets the input.
        size: height and width of the input.
    """
    return _fitted(fit, picture_sizes(batch), size)


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


def _recoloured_and_changed(chosen: Sequence[_Chosen], batch: Batch) -> Batch:
    for one in chosen:
        if isinstance(one.member, Colour):
            batch = recolour(batch, partial(one.member.matrices, one.options, one.draw))
    for stage in STAGES:
        for one, member in _changes(chosen, stage):
            batch = member.change(one.options, one.draw, batch)
    return batch


def _in_one_layout(batch: Batch, chosen: Sequence[_Chosen]) -> Batch:
    """Windows of whole pixels in the layout that their resizing has, also where one of them is the whole picture and was not resized.

    Sums over pixels depend in their last bits on the layout, which must not depend on what else is in the batch.
    """
    if batch.pixels.dtype != torch.uint8 or not any(isinstance(one.member, Geometry) and one.member.window for one in chosen):
        return batch
    return replace(batch, pixels=batch.pixels.contiguous(memory_format=torch.channels_last))


def _chosen(members: Mapping[str, Any], draw: Draw) -> list[_Chosen]:
    """The members in alphabetical order, each with its own numbers."""
    return [_Chosen(name, AUGMENTATIONS[name], members[name], replace(draw, purpose=name)) for name in sorted(members)]


def _changes(chosen: Sequence[_Chosen], stage: str) -> list[tuple[_Chosen, Change]]:
    return [(one, one.member) for one in chosen if isinstance(one.member, Change) and one.member.stage == stage]


def _refuse_misfits(chosen: Sequence[_Chosen], batch: Batch, fit: Fit, geometry: str) -> None:
    windows = [one.name for one in chosen if isinstance(one.member, Geometry) and one.member.window]
    if len(windows) > 1:
        raise UsageError("one augmentation that cuts out a window", " and ".join(windows), "leave all but one away")
    if geometry == "exact":
        _refuse_inexact(chosen, fit)
    mixing = _changes(chosen, MIXING)
    if mixing and not isinstance(batch.targets, Labels):
        name = mixing[0][0].name
        raise UsageError("pictures with one label each", f"{name} with targets of another kind", f"leave {name} away")


def require_exact(names: Iterable[str]) -> None:
    """Check that augmentations keep the value of every pixel that they move.

    Raises:
        UsageError: one of them does not, or there is none of that name.
    """
    for name in names:
        member = AUGMENTATIONS[name]
        if isinstance(member, Geometry) and not member.exact:
            admitted = [name for name in AUGMENTATIONS if isinstance(it := AUGMENTATIONS[name], Geometry) and it.exact]
            raise UsageError("geometry that keeps every pixel's value", name, f"choose among {', '.join(admitted)}")


def _refuse_inexact(chosen: Sequence[_Chosen], fit: Fit) -> None:
    require_exact(one.name for one in chosen)
    if fit not in ("crop", "native"):
        raise UsageError("pictures at their own scale: the fit crop or native", f"the fit {fit}", "use the fit crop")
