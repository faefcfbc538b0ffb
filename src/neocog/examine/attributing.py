"""The one driver of all methods of attribution: over picture files or a dataset's pictures, one method or several beside one another."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neocog.draw.heat_map import SCALE, colour_bar, heat_map
from neocog.draw.picture_table import Row, picture_table
from neocog.engine import obeying
from neocog.examine.checking import Checks
from neocog.examine.layers import find_layer, last_map
from neocog.examine.member import EXAMINATIONS, Examination, Findings, Request, Sheet
from neocog.examine.pictures import Pictures, Shown
from neocog.examine.swift import swiftly
from neocog.explain import EXPLAINERS, Attribution
from neocog.images import Picture
from neocog.objective import Objective
from neocog.random import generator
from neocog.run import Trained
from neocog.targets import Label, Mask, Prediction

__all__ = ["attribute", "eagerly"]

ROWS, MOST_DRAWN = 8, 64  # pictures on a sheet; pictures drawn at all
CELLS_ABREAST = 4
CLASSES_NAMED = 2


def attribute(request: Request, methods: Mapping[str, Any]) -> Findings:
    """How much each pixel counts for the answer, by one method or several, with the two checks of each.

    Pictures pass through in batches; beside the sheets, of which there are not many, and the arrays that are asked for,
    nothing is kept of them.

    Args:
        request: what is asked; its options are of no account.
        methods: names in `EXPLAINERS`, each with an instance of its Options.

    Raises:
        UsageError: a layer that is not there or has no map, no pictures and no data, or an answer without a gradient.
        PictureError: not one file can be read.
    """
    trained, pictures = request.trained, Pictures(request)
    layers = {name: _layer(request, name) for name in methods}
    explain = partial(_explain, request, methods, layers)
    checks = Checks(trained.model, list(methods), explain, most=request.checked, points=request.cascade, seed=request.seed)
    gathered = _Gathered(trained, list(methods), arrays=request.arrays)
    request.progress.start(f"explaining by {', '.join(methods)}", len(pictures))
    swift = swiftly(trained)
    with eagerly(trained):
        for shown in pictures:
            images, quick = shown.batch.images, swift(shown.objective)
            found = {name: explain(name, shown.objective if EXPLAINERS[name].gradient else quick, images) for name in methods}
            gathered.add(shown, found)
            checks.add(shown.objective, quick, images, found)
            request.progress.advance(len(shown.batch))
    request.progress.done()
    about = "" if request.about is None else f", asked about {trained.class_names[request.about]}"
    facts = {
        "methods": {
            name: {"layer": layers[name], "options": asdict(options), "source": EXPLAINERS[name].source, **checks.facts(name)}
            for name, options in methods.items()
        },
        "about": None if request.about is None else trained.class_names[request.about],
        "checked": checks.pictures,
        "pictures": gathered.facts,
        "left_out": pictures.left_out,
    }
    heads = [[name, *checks.words(name)] for name in methods]
    title = f"{trained.name}{about}"
    sheets = [*gathered.sheets(heads, f"Why {title}: {', '.join(methods)}"), *checks.sheets(title)]
    tables = [checks.table()] if checks.pictures else []
    lines = [*gathered.lines(layers), *(checks.lines() if checks.pictures else []), *(f"left out: {words}" for words in pictures.left_out)]
    return Findings(facts, sheets, tables, lines, gathered.arrays())


@contextmanager
def eagerly(trained: Trained) -> Iterator[None]:
    """Compute by the network's plan inside the block, but never compiled: hooks and rules for the way back have to be met."""
    with ExitStack() as stack:
        stack.enter_context(obeying(trained.plan))
        if trained.plan.compiled:
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        yield


def _layer(request: Request, name: str) -> str | None:
    if not EXPLAINERS[name].layered:
        return None
    return find_layer(request.trained, request.layer) if request.layer is not None else last_map(request.trained, name)


def _explain(
    request: Request, methods: Mapping[str, Any], layers: Mapping[str, str | None], name: str, objective: Objective, images: Tensor
) -> Attribution:
    draws = generator(request.seed, f"explain {name}", 0)
    return EXPLAINERS[name].explain(request.trained.model, objective, images, methods[name], layer=layers[name], generator=draws)


class _Gathered:
    """What is kept of the pictures that have passed through.

    Args:
        trained: the network.
        methods: names of the methods.
        arrays: whether maps are to be kept.
    """

    def __init__(self, trained: Trained, methods: Sequence[str], *, arrays: bool) -> None:
        self._trained, self._methods, self._keep = trained, methods, arrays
        self._rows: list[Row] = []
        self._maps: dict[str, list[NDArray[Any]]] = {name: [] for name in methods}
        self._worst: dict[str, dict[str, float]] = {name: {} for name in methods}
        self._signed: dict[str, bool] = {}
        self.facts: list[dict[str, Any]] = []

    def add(self, shown: Shown, found: Mapping[str, Attribution]) -> None:
        """Take pictures in, with the maps of every method."""
        self._signed = {name: one.signed for name, one in found.items()}
        pictures = (shown.batch.images * 255).round().clamp(0, 255).to(torch.uint8).cpu()
        for row, name in enumerate(shown.names):
            prediction, truth = shown.predictions[row], shown.truths[row]
            figures = {method: {what: float(values[row]) for what, values in one.figures.items()} for method, one in found.items()}
            answer = _answer(self._trained, prediction)
            known = None if truth is None else self._trained.class_names[truth]
            self.facts.append({"picture": name, "answer": answer, "truth": known, "figures": {m: f for m, f in figures.items() if f}})
            for method, own in figures.items():
                for what, value in own.items():
                    self._worst[method][what] = max(self._worst[method].get(what, value), value)
            if len(self._rows) < MOST_DRAWN:
                maps = [heat_map(pictures[row], found[method].maps[row].cpu()) for method in self._methods]
                self._rows.append(Row([pictures[row], *maps], [answer, name if known is None else f"{name}, is {known}"]))
            if self._keep:
                for method, one in found.items():
                    self._maps[method].append(one.maps[row].cpu().numpy())

    def sheets(self, heads: Sequence[Sequence[str]], title: str) -> list[Sheet]:
        """The pictures with their maps, so many on each sheet."""
        columns = [["picture"], *heads]
        abreast = max(1, CELLS_ABREAST // len(columns))
        at_once = ROWS * abreast if len(columns) == 2 else ROWS
        parts = [self._rows[start : start + at_once] for start in range(0, len(self._rows), at_once)]
        return [
            Sheet(
                "maps" if len(parts) == 1 else f"maps-{number}",
                picture_table(part, columns, title=title, foot=self._foot(), abreast=abreast),
                "Each picture as the network sees it, and how much each pixel counts for the answer beneath it.",
            )
            for number, part in enumerate(parts, 1)
        ]

    def lines(self, layers: Mapping[str, str | None]) -> list[str]:
        """What else is to be known."""
        said = [f"{name} looks at the layer {layer}" for name, layer in layers.items() if layer is not None]
        for name, worst in self._worst.items():
            if "completeness_error" in worst:
                said.append(f"{name}: the shares miss the difference by at most {worst['completeness_error']:.1e} of it")
        if len(self.facts) > len(self._rows):
            said.append(f"drawn: the first {len(self._rows):,} of {len(self.facts):,} pictures")
        return said

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Maps "n h w" by method, or one by one where their sizes differ; empty where none were asked for."""
        if not self._keep:
            return {}
        found: dict[str, NDArray[Any]] = {"pictures": np.array([row["picture"] for row in self.facts])}
        for method, maps in self._maps.items():
            if len({one.shape for one in maps}) == 1:
                found[method] = np.stack(maps)
            else:
                found.update({f"{method}-{number}": one for number, one in enumerate(maps)})
        return found

    def _foot(self) -> list[Picture | str]:
        signed = any(self._signed.values())
        low = "speaks against the answer" if signed else "counts for nothing"
        return [colour_bar(560, signed=signed, low=low, high="speaks for it" if signed else "counts most"), SCALE]


def _answer(trained: Trained, prediction: Prediction) -> str:
    """What the network says of a picture, in a few words."""
    answer = prediction.answer
    if isinstance(answer, Label):
        confidence = "" if prediction.scores is None else f" {float(prediction.scores[answer.index]):.1%}"
        return f"{trained.class_names[answer.index]}{confidence}"
    if isinstance(answer, Mask):
        counts = answer.classes.long().flatten().bincount(minlength=len(trained.class_names))[: len(trained.class_names)]
        top = counts.topk(min(CLASSES_NAMED, len(counts)))
        return ", ".join(
            f"{trained.class_names[index]} {count / answer.classes.numel():.0%}"
            for count, index in zip(top.values.tolist(), top.indices.tolist(), strict=True)
            if count
        )
    return ""


def _alone(name: str, request: Request) -> Findings:
    return attribute(request, {name: request.options})


for _name in EXPLAINERS:
    EXAMINATIONS.add(
        _name,
        Examination(
            partial(_alone, _name),
            EXPLAINERS[_name].summary,
            takes="pictures",
            Options=EXPLAINERS[_name].Options,
            tasks=("classify", "segment"),
            layered=EXPLAINERS[_name].layered,
            gradient=EXPLAINERS[_name].gradient,
            source=EXPLAINERS[_name].source,
            attributes=True,
        ),
    )
