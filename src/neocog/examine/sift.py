"""`sift`: what a hand-made descriptor and the learnt filters answer to the same patch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from neocog.draw.figure import Panel, figure
from neocog.draw.mosaic import cell_for, mosaic, signed_shades
from neocog.draw.palette import WRONG
from neocog.draw.spokes import spokes
from neocog.draw.windows import Outline, draw_windows
from neocog.errors import UsageError
from neocog.examine.member import EXAMINATIONS, Examination, Findings, Request, Sheet, Table
from neocog.examine.pictures import Pictures
from neocog.examine.units import as_picture, image_shape, maps_of, on_what, reach_of, short
from neocog.explain.filters import first_layer_with_kernels, fit_all, kernels_of
from neocog.explain.gabor import GaborFit
from neocog.explain.sift import cosine, folded, learnt_descriptor, liveliest, luma_of, sift_descriptor
from neocog.explain.top_patches import Window, cut
from neocog.layers import Reach
from neocog.options import check, option

__all__ = ["SiftOptions", "sift"]

MOST_PICTURES, STRONGEST, SIDE, LEAST = 4, 8, 288, 8


@dataclass(frozen=True)
class SiftOptions:
    """What can be chosen."""

    patch: int | None = option(None, "side of the patch in pixels of the network's image; a third of its shorter side by itself", low=LEAST)
    row: int | None = option(None, "first row of the patch, from 0; the liveliest patch by itself", low=0)
    column: int | None = option(None, "first column of the patch, from 0; the liveliest patch by itself", low=0)

    def __post_init__(self) -> None:
        check(self)


class _Filters(NamedTuple):
    """The first layer's filters."""

    layer: str
    kernels: Float[Tensor, "d c h w"]
    fits: list[GaborFit | None]

    @property
    def oriented(self) -> list[int]:
        """Those whose Gabor function has a direction."""
        return [unit for unit, fit in enumerate(self.fits) if fit is not None and fit.oriented]


class _Both(NamedTuple):
    """What both answer to one patch."""

    name: str
    image: Float[Tensor, "c h w"]
    window: Window
    hand_made: Float[Tensor, "4 4 8"]
    learnt: Float[Tensor, "4 4 4"]
    strengths: Float[Tensor, "d"]

    @property
    def alike(self) -> float:
        """The cosine between both, directions and their opposites taken together."""
        return cosine(folded(self.hand_made), self.learnt)


def sift(request: Request) -> Findings:
    """See Examination.

    Raises:
        UsageError: a patch that is no part of the image, or a network whose first layer has no oriented filters.
    """
    trained = request.trained
    filters = _filters(request)
    pictures = Pictures(request, most=MOST_PICTURES)
    found: list[_Both] = []
    for shown in pictures:
        for image, name in zip(shown.batch.images, shown.names, strict=True):
            if len(found) < MOST_PICTURES:
                found.append(_look(request, filters, image, name))
    sheets = [_sheet(request, filters, one, number) for number, one in enumerate(found, start=1)]
    table = Table(
        "how alike both are (cosine: 1 the same, 0 nothing in common)",
        ["picture", "patch", "cosine"],
        [[one.name, _where(one.window), f"{one.alike:.3f}"] for one in found],
        ["cosine"],
    )
    facts = {
        "layer": short(filters.layer),
        "filters": len(filters.fits),
        "oriented": len(filters.oriented),
        "pictures": [{"picture": one.name, "window": list(one.window), "cosine": one.alike, "strongest": _strongest(one)} for one in found],
    }
    arrays: dict[str, Any] = {}
    for number, one in enumerate(found, start=1):
        own = {"sift": one.hand_made, "learnt": one.learnt, "filters": one.strengths}
        arrays |= {f"{number}_{name}": values.numpy() for name, values in own.items()}
    lines = [
        f"{len(filters.oriented)} of {len(filters.fits)} filters of {short(filters.layer)} in {trained.name} are oriented, and take part",
        *(f"left out: {fault}" for fault in pictures.left_out),
    ]
    return Findings(facts, sheets, [table], lines, arrays if request.arrays else {})


def _filters(request: Request) -> _Filters:
    """The first layer's, with their Gabor functions."""
    trained, shape = request.trained, image_shape(request.trained)
    layer = first_layer_with_kernels(trained.model, shape)
    kernels = kernels_of(trained.model, layer, shape)
    whole = max(kernels.shape[2:]) >= min(shape[1:])
    fits: list[GaborFit | None] = [None] * len(kernels) if whole else fit_all(kernels)
    filters = _Filters(layer, kernels, fits)
    if not filters.oriented:
        found = f"none of {len(kernels)} in {short(layer)} of {trained.name}"
        raise UsageError("a first layer with oriented filters, for sift", found, "look at them by --method filters")
    return filters


def _look(request: Request, filters: _Filters, image: Tensor, name: str) -> _Both:
    """Both answers to the patch that was asked for, or to the liveliest."""
    image = image.cpu()
    window = _window(request, image)
    patch = luma_of(cut(image, window))
    maps = maps_of(request.trained, image[None].to(request.trained.plan.device), filters.layer)[0].float().cpu().clone()
    answers = cut(_over_image(maps, reach_of(request.trained, filters.layer), image.shape[1:]), window)
    norms = filters.kernels.flatten(1).norm(dim=1).clamp(min=1e-12)
    strengths = answers.abs().mean((1, 2)) / norms
    scaled = answers / norms[:, None, None]
    directions = [fit.orientation for fit in filters.fits if fit is not None and fit.oriented]
    learnt = learnt_descriptor(scaled[filters.oriented], directions)
    return _Both(name, image, window, sift_descriptor(patch), learnt, strengths)


def _over_image(maps: Float[Tensor, "u h w"], reach: Reach, size: Sequence[int]) -> Float[Tensor, "u i j"]:
    """The maps at every pixel of the image: each point lies in the middle of what it sees, between points it is linear."""
    places = []
    for side, count, start, seen in zip(size, maps.shape[1:], (reach.top, reach.left), (reach.height, reach.width), strict=True):
        at = (torch.arange(side) + 0.5 - (start + seen / 2)) / reach.stride
        places.append(2 * at.clamp(0, count - 1) / max(count - 1, 1) - 1)
    down, across = torch.meshgrid(*places, indexing="ij")
    return functional.grid_sample(maps[None], torch.stack([across, down], dim=2)[None], align_corners=True)[0]


def _window(request: Request, image: Tensor) -> Window:
    options, (height, width) = request.options, image.shape[1:]
    side = options.patch or max(LEAST, min(height, width) // 3)
    if side > min(height, width):
        raise UsageError(f"a patch of at most {min(height, width)} pixels", str(side), "choose a smaller one")
    if options.row is None and options.column is None:
        return liveliest(image, side)
    top, left = options.row or 0, options.column or 0
    if top + side > height or left + side > width:
        expected = f"a patch of {side} pixels within {height}x{width}"
        raise UsageError(expected, f"one at row {top}, column {left}", "choose another place")
    return Window(top, left, top + side, left + side)


def _sheet(request: Request, filters: _Filters, one: _Both, number: int) -> Sheet:
    """The picture, the patch under both histograms, and the filters that answer most."""
    picture, patch = as_picture(one.image), as_picture(cut(one.image, one.window))
    order = _strongest(one)
    strongest = [signed_shades(_first(filters.kernels[unit]), float(filters.kernels[unit].abs().max())) for unit in order]
    own = f"filters of {short(filters.layer)}"
    upper = [
        Panel(draw_windows(picture, [Outline(*one.window, WRONG)], SIDE), one.name, "the picture and the patch"),
        Panel(spokes(patch, one.hand_made, turn=360, side=SIDE), "longer: brightness rises more in this direction", "SIFT"),
        Panel(spokes(patch, one.learnt, turn=180, side=SIDE), "longer: filters of this direction answer more", own),
    ]
    words = "units " + ", ".join(map(str, order)) + ", the strongest first, each on a scale of its own"
    lower = [Panel(mosaic(strongest, len(strongest), cell_for(max(filters.kernels.shape[2:]), 88)), words, "the filters that answer most")]
    notes = [
        f"Cosine between both, opposite directions taken together: {one.alike:.3f} (1 the same, 0 nothing in common).",
        f"{len(filters.oriented)} of {len(filters.fits)} filters have a direction and take part; answers in units of each filter's length.",
    ]
    title = f"A hand-made descriptor and {on_what(request.trained)} on the same patch"
    return Sheet(
        f"patch_{number}", figure([upper, lower], title=title, notes=notes), f"SIFT and the learnt filters on a patch of {one.name}."
    )


def _strongest(one: _Both) -> list[int]:
    """The filters that answer most."""
    found: list[int] = one.strengths.topk(min(STRONGEST, len(one.strengths))).indices.tolist()
    return found


def _where(window: Window) -> str:
    return f"{window.bottom - window.top} pixels at {window.top}, {window.left}"


def _first(kernel: Tensor) -> Tensor:
    """A kernel as a picture: its channels as colours where there are three, else the first."""
    return kernel if len(kernel) in (1, 3) else kernel[:1]


EXAMINATIONS.add(
    "sift",
    Examination(
        sift,
        "what the hand-made descriptor SIFT and the learnt filters of the first layer answer to the same patch",
        takes="pictures",
        Options=SiftOptions,
        tasks=("classify", "segment", "denoise"),
        source="D. Lowe, Distinctive Image Features from Scale-Invariant Keypoints, 2004, https://doi.org/10.1023/B:VISI.0000029664.99615.94",
    ),
)
