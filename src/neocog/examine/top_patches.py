"""`top_patches`: for each unit of a layer the places of many pictures that excite it most, cut out as the unit sees them.

Beside each patch stands what of it the unit's activation comes from, run back by the deconvnet's rule: M. D. Zeiler,
R. Fergus, "Visualizing and Understanding Convolutional Networks", 2013, https://arxiv.org/abs/1311.2901, figure 2.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from neocog.draw.figure import Panel, figure
from neocog.draw.mosaic import cell_for, centred, mosaic, signed_shades
from neocog.engine import obeying
from neocog.examine.layers import find_layer, last_map
from neocog.examine.member import EXAMINATIONS, Asked, Examination, Findings, Request, Sheet, Table
from neocog.examine.patch_cache import PatchCache
from neocog.examine.units import as_picture, batches, chosen_units, evenly, exact, images_of, maps_of, on_what, reach_of, short
from neocog.explain.backward_rules import reconstruct
from neocog.explain.gradient import at_once
from neocog.explain.top_patches import Finder, TopPatches, Window, cut, window_of
from neocog.images import Picture
from neocog.models.network import Learner
from neocog.options import check, option
from neocog.progress import Progress
from neocog.run import Trained
from neocog.run.epochs import at_epoch, kept_epochs

__all__ = ["TopPatchesOptions", "find_patches", "top_patches"]

A_ROW, ROWS, CELL = 3, 4, 64
SMALL_IMAGE, MOST_OF_SMALL, MOST_OF_LARGE, MOST_MOVING = 64, 64, 16, 6
ONE_A_PICTURE = "at most one patch of a picture"


@dataclass(frozen=True)
class TopPatchesOptions:
    """What can be chosen."""

    units: tuple[int, ...] = option((), "units of the layer to show, counted from 0; the first ones by themselves", low=0)
    most: int = option(10_000, "most pictures of the data to look at, at equal distances", low=1)
    patches: int = option(9, "patches of each unit", low=1, high=25)
    reconstruct: bool = option(True, "show beside each patch what the activation comes from, by the deconvnet")

    def __post_init__(self) -> None:
        check(self)


_Both = tuple[list[Picture], list[Picture]]  # a unit's patches, and what they are reconstructed to


class _Search(NamedTuple):
    """What was looked through, and what came of it."""

    trained: Trained
    asked: Asked
    layer: str
    found: TopPatches
    seconds: float | None  # None where it was kept from before


def top_patches(request: Request) -> Findings:
    """See Examination.

    Raises:
        UsageError: a layer or a unit that there is not, or a layer whose receptive field is not known.
    """
    trained, options = request.trained, request.options
    layer = last_map(trained, "top_patches") if request.layer is None else find_layer(trained, request.layer)
    reach = reach_of(trained, layer)
    asked = request.open_data()
    asked = asked._replace(rows=evenly(asked.rows, options.most))
    search = find_patches(trained, asked, layer, patches=options.patches, progress=request.progress)
    small = max(trained.preprocess.size) <= SMALL_IMAGE
    units = chosen_units(options.units, len(search.found.values), MOST_OF_SMALL if small else MOST_OF_LARGE)
    backwards = options.reconstruct and not isinstance(trained.model, Learner)
    shown = [_Shown.of(search, unit) for unit in units]
    pictures = _pictures(search, shown, backwards=backwards, progress=request.progress)
    sheets = _sheets(search, shown, pictures)
    tables = [_table(shown)]
    if request.over_epochs:
        sheet, table = _moving(request, search, units)
        sheets, tables = [*sheets, sheet], [*tables, table]
    facts = {
        "layer": short(layer),
        "split": asked.split,
        "pictures": len(asked.rows),
        "units": len(search.found.values),
        "receptive_field": [reach.height, reach.width],
        "stride": reach.stride,
        "per_picture": 1,
        "seconds": search.seconds,
        "shown": [one.facts() for one in shown],
    }
    return Findings(facts, sheets, tables, _lines(search, shown, backwards), _arrays(search.found) if request.arrays else {})


def find_patches(trained: Trained, asked: Asked, layer: str, *, patches: int, progress: Progress) -> _Search:
    """The strongest places of every unit of a layer, in one pass over the pictures; from the run's folder where they are kept.

    Args:
        trained: the network.
        asked: which pictures.
        layer: dotted name.
        patches: of each unit.
        progress: told of every batch.
    """
    cache = PatchCache.of(trained, asked, layer, patches)
    kept = cache.load()
    if kept is not None:
        return _Search(trained, asked, layer, kept, None)
    started = time.perf_counter()
    finder = Finder(patches)
    progress.start(f"top patches of {short(layer)}", len(asked.rows))
    for batch in batches(trained, asked, asked.rows, progress):
        finder.update(maps_of(trained, batch.images, layer), batch.keys)
    progress.done()
    found = finder.found()
    cache.keep(found)
    return _Search(trained, asked, layer, found, time.perf_counter() - started)


class _Shown(NamedTuple):
    """One unit with its patches."""

    unit: int
    values: list[float]
    keys: list[int]
    names: list[str]
    places: list[tuple[int, int]]
    windows: list[Window]
    class_name: str  # the most frequent one among the patches' pictures; "" without classes
    of_class: int  # how many are of it

    @classmethod
    def of(cls, search: _Search, unit: int) -> "_Shown":
        """What is known of a unit without its pictures."""
        found, dataset = search.found, search.asked.material.dataset
        count = found.count(unit)
        columns = (column[unit, :count].tolist() for column in (found.values, found.pictures, found.rows, found.columns))
        values, keys, rows, across = columns
        places = list(zip(rows, across, strict=True))
        reach = reach_of(search.trained, search.layer)
        classes = dataset.class_indices()
        common = Counter([] if classes is None else classes[keys].tolist()).most_common(1)
        name, times = (dataset.class_names[common[0][0]], common[0][1]) if common else ("", 0)
        windows = [window_of(reach, *place) for place in places]
        return cls(unit, values, keys, [dataset.where(key) for key in keys], places, windows, name, times)

    def facts(self) -> dict[str, Any]:
        """As JSON holds them."""
        rows = zip(self.names, self.values, self.places, self.windows, strict=True)
        patches = [
            {"picture": name, "activation": value, "place": list(place), "window": list(window)} for name, value, place, window in rows
        ]
        return {"unit": self.unit, "class": self.class_name, "of_class": self.of_class, "patches": patches}

    def words(self) -> str:
        """What stands under its patches."""
        if not self.values:
            return "never above 0"
        strongest = f"at most {self.values[0]:.3g}"
        return f"{strongest}; {self.of_class} of {len(self.keys)} {self.class_name}" if self.class_name else strongest


def _pictures(
    search: _Search, shown: Sequence[_Shown], *, backwards: bool, progress: Progress
) -> list[tuple[list[Picture], list[Picture]]]:
    """The patches of each unit, and what they are reconstructed to; the latter are empty where they are not wanted."""
    images = images_of(search.trained, search.asked, [key for one in shown for key in one.keys])
    patches = [[as_picture(cut(images[key], window)) for key, window in zip(one.keys, one.windows, strict=True)] for one in shown]
    if not backwards:
        return [(own, []) for own in patches]
    rebuilt = _reconstructed(search, shown, images, progress)
    return list(zip(patches, rebuilt, strict=True))


def _reconstructed(search: _Search, shown: Sequence[_Shown], images: dict[int, Tensor], progress: Progress) -> list[list[Picture]]:
    """Each on a scale of its own: grey is 0."""
    trained = search.trained
    asked = [(one.unit, key, place) for one in shown for key, place in zip(one.keys, one.places, strict=True)]
    windows = iter(window for one in shown for window in one.windows)
    if not asked:
        return [[] for _ in shown]
    some = next(batches(trained, search.asked, search.asked.rows[:1]))
    objective = trained.task.objective(trained.model, some)
    progress.start("reconstructing", len(asked))
    made: list[Picture] = []
    at_a_time = at_once(images[asked[0][1]][None])
    for start in range(0, len(asked), at_a_time):
        part = asked[start : start + at_a_time]
        given = torch.stack([images[key] for _, key, _ in part])
        units, places = (torch.tensor(column, device=given.device) for column in ([u for u, _, _ in part], [p for _, _, p in part]))
        with obeying(exact(trained.plan)):
            signals = reconstruct(trained.model, objective, given, search.layer, units, places).cpu()
        for signal in signals:
            inside = cut(signal[:3] if len(signal) >= 3 else signal[:1], next(windows))
            made.append(signed_shades(inside, float(inside.abs().max())))
        progress.advance(len(part))
    progress.done()
    pictures = iter(made)
    return [[next(pictures) for _ in one.keys] for one in shown]


def _sheets(search: _Search, shown: Sequence[_Shown], pictures: Sequence[_Both]) -> list[Sheet]:
    """So many units a sheet that it fits a screen."""
    reach, a_sheet = reach_of(search.trained, search.layer), A_ROW * ROWS
    panels = [_panel(search, one, *own) for one, own in zip(shown, pictures, strict=True)]
    backwards = any(rebuilt for _, rebuilt in pictures)
    beside = "At the right what each activation comes from (deconvnet), each on a scale of its own: grey is 0." if backwards else ""
    where = f"{search.asked.material.dataset.name}, {search.asked.split}"
    notes = [
        f"The strongest patches of {len(search.asked.rows):,} pictures ({where}), the strongest first, {ONE_A_PICTURE}.",
        f"A unit sees {reach.height}x{reach.width} pixels; what of that lies beyond the picture's edge is left out.",
        beside,
    ]
    sheets = []
    for number, start in enumerate(range(0, len(panels), a_sheet), start=1):
        part = panels[start : start + a_sheet]
        rows = [part[place : place + A_ROW] for place in range(0, len(part), A_ROW)]
        title = f"What excites units of {short(search.layer)} in {on_what(search.trained)}"
        picture = figure(rows, title=title, notes=[note for note in notes if note])
        name = f"units_{number}"
        sheets.append(Sheet(name, picture, f"The patches that excite units of {short(search.layer)} most."))
    return sheets


def _panel(search: _Search, one: _Shown, patches: Sequence[Picture], rebuilt: Sequence[Picture]) -> Panel:
    columns, side = 3 if len(one.keys) <= 9 else 5, _side(search)
    blocks = [_block(pictures, columns, side) for pictures in ((patches, rebuilt) if rebuilt else (patches,))]
    both = mosaic(blocks, len(blocks), max(*blocks[0].shape[1:]), gap=8)
    return Panel(both, one.words(), f"unit {one.unit}")


def _side(search: _Search) -> int:
    """Pixels of the longer side of a whole patch."""
    reach = reach_of(search.trained, search.layer)
    return min(max(reach.height, reach.width), max(search.trained.preprocess.size))


def _block(pictures: Sequence[Picture], columns: int, side: int) -> Picture:
    """A square of them at one scale; what there are too few of is empty."""
    empty = torch.full((3, side, side), 255, dtype=torch.uint8)
    whole = [*(centred(picture, side) for picture in pictures), *[empty] * (columns * columns - len(pictures))]
    return mosaic(whole, columns, cell_for(side, CELL))


def _table(shown: Sequence[_Shown]) -> Table:
    rows = [
        [str(one.unit), f"{one.values[0]:.4g}" if one.values else "never above 0", f"{one.of_class} of {len(one.keys)}", one.class_name]
        for one in shown
    ]
    return Table("the shown units", ["unit", "strongest", "patches of", "this class"], rows, ["unit", "strongest", "patches of"])


def _lines(search: _Search, shown: Sequence[_Shown], backwards: bool) -> list[str]:
    count, where = len(search.found.values), f"{len(search.asked.rows):,} pictures of {search.asked.split}"
    silent = sum(not search.found.count(unit) for unit in range(count))
    took = "found before, and kept in the run" if search.seconds is None else f"found in {search.seconds:.1f} s"
    lines = [f"{count} units of {short(search.layer)} over {where}, {ONE_A_PICTURE}: {took}"]
    if silent:
        lines.append(f"{silent} of them were never above 0")
    if len(shown) < count:
        lines.append(f"{len(shown)} of {count} units are shown; --units chooses others")
    if not backwards and isinstance(search.trained.model, Learner):
        lines.append(f"no reconstructions: {search.trained.name} does not learn by gradient")
    return lines


def _moving(request: Request, search: _Search, units: Sequence[int]) -> tuple[Sheet, Table]:
    """A row for each kept epoch with the patches of some units, and how many pictures each epoch shares with the last."""
    epochs = kept_epochs(request.trained)
    rows, shared, last = [], [], search.found
    searches = []
    for kept in epochs:
        then = at_epoch(request.trained, kept)
        searches.append(find_patches(then, search.asked, search.layer, patches=request.options.patches, progress=request.progress))
    last = searches[-1].found
    for kept, one in zip(epochs, searches, strict=True):
        shown = [_Shown.of(one, unit) for unit in units[:MOST_MOVING]]
        pictures = _pictures(one, shown, backwards=False, progress=request.progress)
        blocks = [_panel(one, unit, own, ()) for unit, (own, _) in zip(shown, pictures, strict=True)]
        rows.append([replace(block, heading=f"epoch {kept.epoch}, {block.heading}", caption="") for block in blocks])
        shared.append([str(kept.epoch), f"{_shared(one.found, last):.2f}"])
    title = f"What excites units of {short(search.layer)} in {on_what(request.trained)} over the epochs"
    where = f"{len(search.asked.rows):,} pictures ({search.asked.material.dataset.name}, {search.asked.split})"
    sheet = Sheet("over_epochs", figure(rows, title=title, notes=[f"The strongest patches of {where}, {ONE_A_PICTURE}."]))
    table = Table("top patches whose pictures are those after the last epoch", ["epoch", "share"], shared, ["epoch", "share"])
    return sheet, table


def _shared(found: TopPatches, last: TopPatches) -> float:
    """Share of the units' pictures that are among those after the last epoch."""
    same = (found.pictures[:, :, None] == last.pictures[:, None, :]).any(2) & (found.pictures >= 0)
    there = int((found.pictures >= 0).sum())
    return int(same.sum()) / there if there else 0.0


def _arrays(found: TopPatches) -> dict[str, Any]:
    return {name: getattr(found, name).numpy() for name in ("values", "pictures", "rows", "columns")}


EXAMINATIONS.add(
    "top_patches",
    Examination(
        top_patches,
        "the patches of many pictures that excite each unit of a layer most, with what each activation comes from",
        takes="data",
        Options=TopPatchesOptions,
        layered=True,
        stages=True,
        over_epochs=True,
        source="M. Zeiler, R. Fergus, Visualizing and Understanding Convolutional Networks, 2013, https://arxiv.org/abs/1311.2901",
    ),
)
