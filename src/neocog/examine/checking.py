"""The two checks that every method of attribution carries: does it depend on the weights, and do the pixels that it names matter."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import fmean
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neocog.draw.line_chart import Axis, Line, line_chart
from neocog.examine.member import Sheet, Table
from neocog.explain import EXPLAINERS, Attribution
from neocog.explain.deletion import BASELINE, Curves, curves, order_of
from neocog.explain.randomisation import Cascade, layers_downwards, randomisation
from neocog.images import Picture
from neocog.objective import Objective
from neocog.random import generator

__all__ = ["ALIKE", "CHANCE", "Checks"]

ALIKE = 0.5
"""A rank correlation from which on maps count as alike."""

CHANCE = "random order"
"""What the pixels' order is compared with: one drawn at random."""

Explain = Callable[[str, Objective, Tensor], Attribution]
"""(method, objective, images) -> maps anew."""


@dataclass
class _Tally:
    """What is known of one method so far: sums over pictures, and the areas and correlations of each."""

    deletion: Tensor | float = 0.0
    insertion: Tensor | float = 0.0
    correlations: Tensor | float = 0.0
    deletion_areas: list[float] = field(default_factory=list)
    insertion_areas: list[float] = field(default_factory=list)
    likenesses: list[float] = field(default_factory=list)

    def add_curves(self, found: Curves) -> None:
        self.deletion = self.deletion + found.deletion.sum(dim=0).cpu()
        self.insertion = self.insertion + found.insertion.sum(dim=0).cpu()
        self.deletion_areas += found.deletion_area.tolist()
        self.insertion_areas += found.insertion_area.tolist()

    def add_cascade(self, found: Cascade) -> None:
        self.correlations = self.correlations + found.correlations.sum(dim=0).cpu()
        self.likenesses += found.full.tolist()


class Checks:
    """Both checks, on the first pictures that come.

    Args:
        module: the network, in evaluation mode.
        methods: names of the methods.
        explain: makes maps anew; the same draws for the same arguments.
        most: pictures that are checked; 0 for none.
        points: of the cascade of randomised layers.
        seed: of the random weights and of the random order.
    """

    def __init__(self, module: nn.Module, methods: Sequence[str], explain: Explain, *, most: int, points: int, seed: int) -> None:
        self._module, self._explain, self._most, self._points, self._seed = module, explain, most, points, seed
        self._layers = len(layers_downwards(module))
        self._tallies = {name: _Tally() for name in (*methods, CHANCE)}
        self._shares: Float[Tensor, " points"] | None = None
        self._counts: tuple[int, ...] = ()
        self.pictures = 0

    def add(self, objective: Objective, quick: Objective, images: Float[Tensor, "b c h w"], found: Mapping[str, Attribution]) -> None:
        """Check the maps of some pictures, as far as there are not enough yet.

        Args:
            objective: of the module itself, whose weights are randomised.
            quick: the same question where the weights stay as they are.
            images: in [0, 1].
            found: by the name of the method.
        """
        rows = torch.arange(min(len(images), self._most - self.pictures), device=images.device)
        if not len(rows):
            return
        objective, quick, images = objective.select(rows), quick.select(rows), images[rows]
        chance = torch.zeros(len(rows), *images.shape[2:], device=images.device)
        for name, tally in self._tallies.items():
            maps = found[name].maps[rows] if name in found else chance
            order = order_of(maps, generator(self._seed, "random order", 0))
            curve = curves(quick, images, order)
            self._shares = curve.shares.cpu()
            tally.add_curves(curve)
            if name in found and self._layers:
                again = partial(self._maps, name, objective, images)
                draws = generator(self._seed, "random weights", 0)
                cascade = randomisation(self._module, again, maps, draws, self._points)
                self._counts = cascade.randomised
                tally.add_cascade(cascade)
        self.pictures += len(rows)

    def facts(self, name: str) -> dict[str, Any]:
        """As JSON holds them; empty where nothing was checked."""
        if not self.pictures:
            return {}
        tally = self._tallies[name]
        areas = {"deletion": fmean(tally.deletion_areas), "insertion": fmean(tally.insertion_areas)}
        if not tally.likenesses:
            return areas
        return {**areas, "likeness": fmean(tally.likenesses), "must_fall": EXPLAINERS[name].must_fall, "cascade": self._cascade(tally)}

    def words(self, name: str) -> list[str]:
        """Under the method's name on a sheet."""
        facts = self.facts(name)
        if not facts:
            return []
        areas = f"deletion {facts['deletion']:.2f} · insertion {facts['insertion']:.2f}"
        return [areas, f"likeness {facts['likeness']:.2f} with random weights"] if "likeness" in facts else [areas]

    def table(self) -> Table:
        """A row for each method, and one for a random order."""
        rows = []
        for name in self._tallies:
            facts = self.facts(name)
            likeness = f"{facts['likeness']:.3f}" if "likeness" in facts else ""
            rows.append([name, f"{facts['deletion']:.3f}", f"{facts['insertion']:.3f}", likeness, _verdict(name, facts)])
        headings = ["method", "deletion", "insertion", "likeness", "with random weights"]
        return Table(f"checked on {self.pictures:,} picture{'s' if self.pictures > 1 else ''}", headings, rows, right=headings[1:4])

    def lines(self) -> list[str]:
        """How the numbers are to be read, and which method fails."""
        said = [
            "deletion and insertion: area under the probability of the answer while the pixels that count most go (the lower, the "
            "better) or come (the higher, the better)",
            BASELINE,
        ]
        if self._layers:
            said.append("likeness: rank correlation with the map of the same network with random weights; the nearer to 0, the better")
        failing = [name for name in self._tallies if self.facts(name).get("must_fall") and self.facts(name)["likeness"] >= ALIKE]
        if failing:
            said.append(f"not to be trusted on this network: {', '.join(failing)}, alike with random weights")
        return said

    def sheets(self, title: str) -> list[Sheet]:
        """The curves of both checks."""
        if self._shares is None:
            return []
        charts = [Sheet(f"{way}_curves", self._chart(way, title), caption) for way, caption in _CAPTIONS.items()]
        if len(self._counts) > 1:
            charts.append(Sheet("cascade", self._cascade_chart(title), "How alike the maps stay while the weights are randomised."))
        return charts

    def _maps(self, name: str, objective: Objective, images: Tensor) -> Tensor:
        return self._explain(name, objective, images).maps

    def _chart(self, way: str, title: str) -> Picture:
        shares = [] if self._shares is None else self._shares.tolist()
        lines = [
            Line(f"{name} {self.facts(name)[way]:.2f}", list(zip(shares, (getattr(tally, way) / self.pictures).tolist(), strict=True)))
            for name, tally in self._tallies.items()
        ]
        x = Axis(f"share of the pixels that have {'gone' if way == 'deletion' else 'come'}", least=0, most=1)
        return line_chart(lines, title=f"{way.capitalize()}: {title}", x=x, y=Axis("probability of the answer", least=0, most=1))

    def _cascade_chart(self, title: str) -> Picture:
        counts = [0.0, *map(float, self._counts)]
        lines = [
            Line(f"{name} {fmean(tally.likenesses):.2f}", list(zip(counts, self._cascade(tally), strict=True)), dotted=True)
            for name, tally in self._tallies.items()
            if tally.likenesses
        ]
        x = Axis(f"layers randomised, from the answer down ({self._layers} in all)", least=0, most=self._layers)
        return line_chart(lines, title=f"Random weights: {title}", x=x, y=Axis("rank correlation with the map of the network", most=1))

    def _cascade(self, tally: _Tally) -> list[float]:
        """Mean correlations, from no layer randomised on."""
        return [1.0, *(torch.as_tensor(tally.correlations) / self.pictures).tolist()]


_CAPTIONS = {
    "deletion": "How fast the probability of the answer falls while the pixels that count most are taken away: the faster, the better.",
    "insertion": "How fast the probability of the answer comes back while the pixels that count most return: the faster, the better.",
}


def _verdict(name: str, facts: Mapping[str, Any]) -> str:
    if "likeness" not in facts:
        return ""
    if facts["likeness"] < ALIKE:
        return "another map"
    return "ALIKE, and must not be" if facts["must_fall"] else "alike, as is known of it"
