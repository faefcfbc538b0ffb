"""What came of one attack: counts for each epsilon, and some examples."""

import dataclasses
import math
import statistics
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neocog.attack import Attack, Norm
from neocog.attack.ascent import judge
from neocog.attack.balls import distances
from neocog.examine.victims import Case
from neocog.metrics.classification import wilson_interval
from neocog.objective import Decides, Objective

__all__ = ["EXAMPLES", "LEVELS", "Example", "Onslaught", "Outcome", "Tally", "epsilon_in_words", "measure"]

EXAMPLES = 4  # kept of each epsilon
LEVELS = 255  # grey levels above black


class Example(NamedTuple):
    """A picture that the attack got.

    Attributes:
        key: which picture of the dataset.
        image: before, "c h w" in [0, 1].
        changed: after.
        answers: the class before and after, where the task has one class a picture.
        confidences: in these, in [0, 1].
    """

    key: int
    image: Float[Tensor, "c h w"]
    changed: Float[Tensor, "c h w"]
    answers: tuple[int, int] | None = None
    confidences: tuple[float, float] = (0.0, 0.0)


class Outcome(NamedTuple):
    """Of the victims of a case, after an attack.

    Attributes:
        images: as the attack left them.
        fooled: whether the attacker has what it wants.
        wrong: whether the network is wrong.
        fooled_as_file: whether it still is fooled once the picture was written as 8-bit PNG and read again.
        wrong_as_file: whether it still is wrong then.
        right_elsewhere: whether a second network is right; None without one.
        distance: how far each was moved.
    """

    images: Float[Tensor, "v c h w"]
    fooled: Bool[Tensor, "v"]
    wrong: Bool[Tensor, "v"]
    fooled_as_file: Bool[Tensor, "v"]
    wrong_as_file: Bool[Tensor, "v"]
    right_elsewhere: Bool[Tensor, "v"] | None
    distance: Float[Tensor, "v"]


def measure(case: Case, images: Float[Tensor, "v c h w"], norm: Norm, elsewhere: Objective | None) -> Outcome:
    """Ask the networks about attacked pictures.

    Args:
        case: whose victims they are.
        images: of the victims, after the attack.
        norm: of the distance.
        elsewhere: about the true answers of the whole case, to a second network.
    """
    plain, aimed = case.plain.select(case.victims), case.aimed.select(case.victims)
    stored = (images * LEVELS).round().clamp(0, LEVELS) / LEVELS  # what a PNG gives back
    wrong, wrong_as_file = judge(plain, images), judge(plain, stored)
    fooled, fooled_as_file = (wrong, wrong_as_file) if case.aimed is case.plain else (judge(aimed, images), judge(aimed, stored))
    right = None if elsewhere is None else ~judge(elsewhere.select(case.victims), images)
    return Outcome(images, fooled, wrong, fooled_as_file, wrong_as_file, right, distances(images, case.images[case.victims], norm))


@dataclass
class Tally:
    """Counts over all pictures at one epsilon.

    Attributes:
        epsilon: on the scale [0, 1].
        pictures: how many were asked about.
        right: how many the network still names rightly.
        right_as_file: how many it does once they were written as PNG and read again.
        fooled: of how many the attacker has what it wants.
        fooled_as_file: of how many still, then.
        right_elsewhere: how many a second network names rightly.
        examples: the first that the attack got.
        rows: whether each picture is misnamed, where arrays are kept.
    """

    epsilon: float
    pictures: int = 0
    right: int = 0
    right_as_file: int = 0
    fooled: int = 0
    fooled_as_file: int = 0
    right_elsewhere: int = 0
    examples: list[Example] = field(default_factory=list)
    rows: list[Tensor] = field(default_factory=list)

    def add(self, case: Case, outcome: Outcome, within: Bool[Tensor, "v"], elsewhere: Bool[Tensor, "b"] | None) -> None:
        """Take one case in.

        Args:
            case: what was attacked.
            outcome: of its victims.
            within: which of them lie in the ball; the others count as not attacked.
            elsewhere: whether a second network is right before the attack.
        """
        before = case.wrong[case.victims]
        wrong = torch.where(within, outcome.wrong, before)
        got = len(case.keys) - len(case.victims)
        self.pictures += len(case.keys)
        self.right += int((~wrong).sum())
        self.right_as_file += int((~torch.where(within, outcome.wrong_as_file, before)).sum())
        self.fooled += got + int((outcome.fooled & within).sum())
        self.fooled_as_file += got + int((outcome.fooled_as_file & within).sum())
        if elsewhere is not None and outcome.right_elsewhere is not None:
            after = elsewhere.clone()
            after[case.victims] = torch.where(within, outcome.right_elsewhere, elsewhere[case.victims])
            self.right_elsewhere += int(after.sum())
        taken = (outcome.fooled & within).nonzero()[:, 0][: EXAMPLES - len(self.examples)]
        self.examples += [_example(case, outcome, int(row)) for row in taken]

    def keep(self, case: Case, outcome: Outcome, within: Bool[Tensor, "v"]) -> None:
        """Remember of every picture whether it is misnamed."""
        wrong = case.wrong.clone()
        wrong[case.victims] = torch.where(within, outcome.wrong, wrong[case.victims])
        self.rows.append(wrong.cpu())

    @property
    def accuracy(self) -> float:
        """The share that is named rightly, in [0, 1]; for other tasks the share that is not fooled."""
        return self.right / self.pictures

    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy."""
        return wilson_interval(self.right, self.pictures)


@dataclass
class Onslaught:
    """One attack over all pictures.

    Attributes:
        method: its name.
        member: what it is.
        options: without epsilon and norm.
        norm: of the distances.
        tallies: one for each epsilon, rising.
        distances: of the pictures that an attack of the least norm got.
        lost: how many it did not get at any distance.
    """

    method: str
    member: Attack
    options: Any
    norm: Norm
    tallies: list[Tally]
    distances: list[float] = field(default_factory=list)
    lost: int = 0

    def told(self, epsilon: float | None = None) -> Any:
        """The options with norm and epsilon."""
        names = {item.name for item in dataclasses.fields(self.options)}
        chosen = {name: value for name, value in (("norm", self.norm), ("epsilon", epsilon)) if name in names and value is not None}
        return dataclasses.replace(self.options, **chosen)

    @property
    def name(self) -> str:
        """The method and the norm."""
        return f"{self.method} {self.norm}"

    def median(self) -> float | None:
        """Of the distances, where the least is searched; those not got count as infinitely far."""
        everything = sorted([*self.distances, *[math.inf] * self.lost])
        return statistics.median_low(everything) if everything else None


def epsilon_in_words(epsilon: float, norm: Norm) -> str:
    """As a person writes it: in linf as grey levels where it is a whole number of them."""
    levels = epsilon * LEVELS
    if norm == "linf" and abs(levels - round(levels)) < 1e-6 and round(levels):
        return f"{round(levels)}/{LEVELS}"
    return f"{epsilon:.4g}"


def _example(case: Case, outcome: Outcome, row: int) -> Example:
    place = int(case.victims[row])
    image, changed = case.images[place], outcome.images[row]
    answers, confidences = None, (0.0, 0.0)
    if isinstance(case.plain, Decides):
        one = case.plain.select(case.victims[row : row + 1].repeat(2))
        with torch.no_grad():
            shares = one.scores(torch.stack([image, changed])).softmax(dim=1)
        best = shares.max(dim=1)
        (before, after), (sure, surer) = best.indices.tolist(), best.values.tolist()
        answers, confidences = (before, after), (sure, surer)
    return Example(int(case.keys[place]), image.cpu(), changed.cpu(), answers, confidences)
