"""`filters`: the weights of a layer as pictures, those that see the image with the Gabor function that fits each best."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.draw.contact_sheet import contact_sheet
from neocog.draw.figure import Panel, figure
from neocog.draw.mosaic import cell_for, grey_ramp, mosaic, signed_shades, squarish
from neocog.draw.spokes import orientation_bars
from neocog.errors import UsageError
from neocog.examine.layers import find_layer
from neocog.examine.member import EXAMINATIONS, Examination, Findings, Request, Sheet, Table
from neocog.examine.units import chosen_units, image_shape, on_what, short
from neocog.explain.filters import BINS, Orientations, first_layer_with_kernels, fit_all, kernels_of, layers_with_kernels, summarise
from neocog.explain.gabor import SMALL, GaborFit, rebuilt
from neocog.images import Picture
from neocog.options import check, option
from neocog.run import Trained
from neocog.run.epochs import at_epoch, kept_epochs

__all__ = ["FiltersOptions", "filters"]

MOST_SHOWN, MOST_DEEP, MOST_CHANNELS, MOST_MOVING = 256, 32, 32, 16
LARGEST_CELL = 96
LARGEST_FITTED = 32  # side in pixels; larger ones are templates of whole images
SHEET = 1200  # pixels, about how wide a mosaic becomes
SEEN = (1, 3)  # channels that make a picture


@dataclass(frozen=True)
class FiltersOptions:
    """What can be chosen."""

    units: tuple[int, ...] = option((), "units of the layer to show, counted from 0; the first ones by themselves", low=0)

    def __post_init__(self) -> None:
        check(self)


class _Layer(NamedTuple):
    """A layer's kernels, which of them are shown, and the scale of all."""

    name: str
    kernels: Float[Tensor, "d c h w"]
    units: list[int]
    scale: float

    @property
    def as_pictures(self) -> bool:
        """Whether a kernel is one picture, grey or red, green and blue."""
        return self.kernels.shape[1] in SEEN

    @property
    def words(self) -> str:
        """Their shape."""
        count, channels, height, width = self.kernels.shape
        colours = {1: "grey", 3: "red, green and blue"}.get(channels, f"{channels} channels each")
        return f"{count} kernels of {height}x{width}, {colours}"


def filters(request: Request) -> Findings:
    """See Examination.

    Raises:
        UsageError: the layer has no kernels, or a unit that there is not.
    """
    trained = request.trained
    name = _name(trained, request.layer)
    layer = _layer(trained, name, request.options.units)
    fits = _fits(layer)
    sheets = [_kernel_sheet(trained, layer)]
    lines, tables = [], []
    facts: dict[str, Any] = {"layer": short(name), "kernels": list(layer.kernels.shape), "scale": layer.scale}
    arrays = {"kernels": layer.kernels.numpy()}
    if any(fits):
        summary = summarise(fits)
        sheets += [_gabor_sheet(trained, layer, fits), _orientation_sheet(trained, layer, summary)]
        facts |= {
            "orientations": asdict(summary),
            "gabor": [None if fit is None else {**asdict(fit), "oriented": fit.oriented} for fit in fits],
        }
        lines += _summary(summary, layer)
        tables.append(_orientation_table(summary))
        arrays["gabor"] = _columns(fits)
    elif layer.as_pictures:
        lines.append("no Gabor functions: the kernels are smaller than 3x3 or as large as whole images")
    if request.over_epochs:
        sheets.append(_moving(request, layer))
    return Findings(facts, sheets, tables, lines, {key: value for key, value in arrays.items() if request.arrays})


def _name(trained: Trained, asked: str | None) -> str:
    """The layer that was named, or the first one with kernels inside the stage that was; the network's first where none was."""
    shape = image_shape(trained)
    if asked is None:
        return first_layer_with_kernels(trained.model, shape)
    name = find_layer(trained, asked)
    return next((one for one in layers_with_kernels(trained.model, shape) if one == name or one.startswith(f"{name}.")), name)


def _layer(trained: Trained, name: str, units: Sequence[int]) -> _Layer:
    kernels = kernels_of(trained.model, name, image_shape(trained))
    shown = chosen_units(units, len(kernels), MOST_SHOWN if kernels.shape[1] in SEEN else MOST_DEEP)
    return _Layer(name, kernels, shown, float(kernels.abs().max()))


def _fits(layer: _Layer) -> list[GaborFit | None]:
    """Of kernels that see the image; None in place of others."""
    if not layer.as_pictures or max(layer.kernels.shape[2:]) > LARGEST_FITTED:
        return [None] * len(layer.kernels)
    return fit_all(layer.kernels)


def _kernel_sheet(trained: Trained, layer: _Layer) -> Sheet:
    """Each kernel as a picture, or a row for each unit with a picture for each channel that it sees."""
    pictures, columns, what = _pictures(layer)
    cell = cell_for(max(layer.kernels.shape[2:]), max(8, min(LARGEST_CELL, SHEET // columns - 2)))
    notes = [f"{layer.words}. One scale for all: {_scale(layer.scale)}.", what]
    panels = [[Panel(mosaic(pictures, columns, cell))], [Panel(_ramp(layer.scale))]]
    picture = figure(panels, title=f"Filters of {short(layer.name)} in {on_what(trained)}", notes=[note for note in notes if note])
    return Sheet("kernels", picture, f"The weights of {short(layer.name)}: {layer.words}.")


def _pictures(layer: _Layer) -> tuple[list[Picture], int, str]:
    """The pictures in their order, how many stand in a row, and what to say of it."""
    left_out = len(layer.kernels) - len(layer.units)
    more = f" {left_out} more units are not shown." if left_out else ""
    if layer.as_pictures:
        return [signed_shades(layer.kernels[unit], layer.scale) for unit in layer.units], squarish(len(layer.units)), more.strip()
    channels = min(layer.kernels.shape[1], MOST_CHANNELS)
    unseen = f" The first {channels} of {layer.kernels.shape[1]} channels." if channels < layer.kernels.shape[1] else ""
    pictures = [signed_shades(layer.kernels[unit, channel][None], layer.scale) for unit in layer.units for channel in range(channels)]
    return pictures, channels, f"A row for each unit, a column for each channel that it sees.{unseen}{more}"


def _gabor_sheet(trained: Trained, layer: _Layer, fits: Sequence[GaborFit | None]) -> Sheet:
    """Each kernel beside its function."""
    size = (layer.kernels.shape[2], layer.kernels.shape[3])
    pairs, captions = [], []
    for unit in layer.units:
        fit = fits[unit]
        if fit is not None:
            both = [signed_shades(one, layer.scale) for one in (layer.kernels[unit], rebuilt(fit, size))]
            pairs.append(mosaic(both, 2, cell_for(max(size), 64)))
            captions.append("\n".join(_words(unit, fit)))
    title = f"{short(layer.name)} of {on_what(trained)}: each kernel beside the Gabor function that fits it best"
    sheet = contact_sheet(pairs, captions, columns=min(8, squarish(len(pairs))), title=title, cell=140)
    words = (
        "Explained: share of the kernel's sum of squares. 0° has upright stripes, 90° level ones; phase 0° is a bright bar, 90° an edge."
    )
    return Sheet("gabor", sheet, words)


def _words(unit: int, fit: GaborFit) -> list[str]:
    mark = "" if fit.oriented else " (not oriented)"
    share = f"{unit}: {100 * fit.explained:.0f} % explained"
    return [share, f"{fit.orientation:.0f}°{mark}", f"{fit.frequency:.2f} cycles/pixel", f"phase {fit.phase:.0f}°"]


def _orientation_sheet(trained: Trained, layer: _Layer, summary: Orientations) -> Sheet:
    told = "a Gabor function accounts for at least half of them, and not for a blob"
    notes = [
        f"{summary.oriented} of {summary.kernels} kernels are oriented: {told}.",
        *([] if summary.frequency is None else [f"Their median frequency is {summary.frequency:.2f} cycles per pixel."]),
    ]
    title = f"Orientations that {short(layer.name)} of {on_what(trained)} answers to"
    picture = figure([[Panel(orientation_bars(summary.histogram))]], title=title, notes=notes)
    return Sheet("orientations", picture, "How many filters answer to stripes of each direction, as Hubel and Wiesel's cells do.")


def _orientation_table(summary: Orientations) -> Table:
    rows = [[f"{180 * number / BINS:g}°", str(count)] for number, count in enumerate(summary.histogram)]
    return Table("orientations (0° has upright stripes, 90° level ones)", ["direction", "filters"], rows, ["direction", "filters"])


def _summary(summary: Orientations, layer: _Layer) -> list[str]:
    words = f"{summary.oriented} of {summary.kernels} filters are oriented"
    if summary.frequency is not None:
        words += f", at a median of {summary.frequency:.2f} cycles per pixel"
    lines = [f"{words}; a Gabor function accounts for {100 * (summary.explained or 0):.0f} % of the median filter"]
    if min(layer.kernels.shape[2:]) < SMALL:
        lines.append("of so few pixels the Gaussian's width and middle are held fast; nearly any kernel is then fitted well")
    return lines


def _moving(request: Request, layer: _Layer) -> Sheet:
    """A row for each kept epoch, a column for each unit, on one scale."""
    if not layer.as_pictures:
        expected = "a layer whose kernels are pictures, to show over the epochs"
        raise UsageError(expected, f"{short(layer.name)}, {layer.words}", "choose the first layer, or leave --over-epochs away")
    trained, shape = request.trained, image_shape(request.trained)
    units = layer.units[:MOST_MOVING]
    epochs = kept_epochs(trained)
    request.progress.start("filters over the epochs", len(epochs))
    kernels = []
    for kept in epochs:
        kernels.append(kernels_of(at_epoch(trained, kept).model, layer.name, shape)[units])
        request.progress.advance(1, f"epoch {kept.epoch}")
    request.progress.done()
    scale = float(torch.stack(kernels).abs().max())
    rows = [
        [Panel(mosaic([signed_shades(kernel, scale) for kernel in own], len(units), 56), heading=f"after epoch {kept.epoch}")]
        for kept, own in zip(epochs, kernels, strict=True)
    ]
    title = f"Filters of {short(layer.name)} in {on_what(trained)} over the epochs"
    picture = figure([*rows, [Panel(_ramp(scale))]], title=title, notes=[f"Units {_named(units)}. One scale for all: {_scale(scale)}."])
    return Sheet("over_epochs", picture, "How the filters came about.")


def _named(units: Sequence[int]) -> str:
    return ", ".join(map(str, units))


def _scale(scale: float) -> str:
    return f"grey is 0, black {-scale:.3g}, white {scale:.3g}"


def _ramp(scale: float) -> Picture:
    return grey_ramp([f"{-scale:.3g}", "0", f"{scale:.3g}"])


def _columns(fits: Sequence[GaborFit | None]) -> Any:
    """Orientation, frequency, phase, sigma_u, sigma_v, x, y, amplitude, explained and selectivity of each, in a row; NaN without a fit."""
    rows = [
        [float("nan")] * 10
        if fit is None
        else [
            *(fit.orientation, fit.frequency, fit.phase, fit.sigma_u, fit.sigma_v),
            *(*fit.centre, fit.amplitude, fit.explained, fit.selectivity),
        ]
        for fit in fits
    ]
    return torch.tensor(rows, dtype=torch.float64).numpy()


EXAMINATIONS.add(
    "filters",
    Examination(
        filters,
        "the weights of a layer as pictures; of the first one with the Gabor function that fits each best",
        takes="nothing",
        Options=FiltersOptions,
        tasks=("classify", "segment", "denoise"),
        layered=True,
        over_epochs=True,
        source="D. Hubel, T. Wiesel, Receptive fields, binocular interaction and functional architecture in the cat's visual cortex, "
        "1962, https://doi.org/10.1113/jphysiol.1962.sp006837",
    ),
)
