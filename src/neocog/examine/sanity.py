"""Checks that an attack measures the network and not its own weakness.

After N. Carlini et al., "On Evaluating Adversarial Robustness", 2019, https://arxiv.org/abs/1902.06705, section 5, and
A. Athalye, N. Carlini, D. Wagner, "Obfuscated Gradients Give a False Sense of Security", 2018,
https://arxiv.org/abs/1802.00420, section 3.1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from neocog.attack.ascent import judge, look
from neocog.examine.onslaught import Onslaught, Tally, epsilon_in_words
from neocog.examine.victims import Case
from neocog.random import generator

__all__ = ["REFERENCE", "Check", "examine_attacks"]

REFERENCE = "fgsm"
"""The weakest of the attacks by gradient: one step."""

MOST_CHECKED = 64  # pictures that are attacked without bound


@dataclass(frozen=True)
class Check:
    """One thing that must hold.

    Attributes:
        name: what is checked, in a few words.
        holds: whether it does.
        found: what was found: a sentence for a person where it does not hold.
    """

    name: str
    holds: bool
    found: str = ""


def examine_attacks(onslaughts: Sequence[Onslaught], references: Sequence[Onslaught], clean: Tally, first: Case | None) -> list[Check]:
    """Check all attacks.

    Args:
        onslaughts: what was asked for.
        references: one step along the gradient, where it was not asked for.
        clean: before any attack.
        first: some pictures to attack without bound.
    """
    checks = [_rising(one, clean) for one in onslaughts]
    checks += _stronger(onslaughts, references)
    if first is not None:
        checks += [_unbounded(one, first) for one in onslaughts]
        if any(one.member.gradient for one in onslaughts):
            checks.append(_gradients(first))
    return checks


def _rising(one: Onslaught, clean: Tally) -> Check:
    """A larger ball has all that a smaller one has."""
    name = f"{one.name}: a larger epsilon never helps the defender"
    before, radius = clean.fooled, 0.0
    for tally in one.tallies:
        if tally.fooled < before:
            counts = f"{tally.fooled:,} pictures at epsilon {epsilon_in_words(tally.epsilon, one.norm)}, {before:,}"
            found = f"{one.name} fools {counts} at {epsilon_in_words(radius, one.norm)}: it is too weak; give it more steps or restarts"
            return Check(name, False, found)
        before, radius = tally.fooled, tally.epsilon
    return Check(name, True)


def _stronger(onslaughts: Sequence[Onslaught], references: Sequence[Onslaught]) -> list[Check]:
    """Many steps do no worse than one; gradients no worse than none."""
    bounded = [one for one in onslaughts if one.member.bounded]
    by_gradient = [one for one in bounded if one.member.gradient and one.method != REFERENCE]
    single = [one for one in (*bounded, *references) if one.method == REFERENCE]
    blind = [one for one in bounded if not one.member.gradient]
    checks = [_no_worse(one, weak, "it is too weak: give it more steps") for one in by_gradient for weak in single if one.norm == weak.norm]
    hidden = "the network hides its gradients; believe the lower accuracy"
    return checks + [_no_worse(one, weak, hidden) for one in by_gradient for weak in blind if one.norm == weak.norm]


def _no_worse(one: Onslaught, weaker: Onslaught, reason: str) -> Check:
    name = f"{one.name} does no worse than {weaker.method}"
    for own, other in zip(one.tallies, weaker.tallies, strict=True):
        if own.fooled < other.fooled:
            where = f"at epsilon {epsilon_in_words(own.epsilon, one.norm)}"
            found = f"{one.name} fools {own.fooled:,} pictures {where}, {weaker.method} {other.fooled:,}: {reason}"
            return Check(name, False, found)
    return Check(name, True)


def _unbounded(one: Onslaught, first: Case) -> Check:
    """With no bound at all any picture may become any other, so that an attack that works gets them all."""
    name = f"{one.name}: with no bound every picture is fooled"
    if not one.member.bounded:
        holds = one.lost == 0
        found = f"{one.name} finds nothing near {one.lost:,} pictures at any distance: give it more steps"
        return Check(name, holds, "" if holds else found)
    case = first.first(MOST_CHECKED)
    epsilon = 1.0 if one.norm == "linf" else math.sqrt(case.images[0].numel())
    draws = generator(0, f"attack {one.method}", 0, device=case.images.device)
    images = one.member.attack(case.fast, case.images, one.told(epsilon), generator=draws)
    left = int((~judge(case.aimed, images)).sum())
    found = f"{one.name} leaves {left} of {len(images)} pictures unfooled with no bound at all: its numbers flatter the network"
    return Check(name, left == 0, found if left else "")


def _gradients(first: Case) -> Check:
    """Where the gradient is nothing, an attack by gradient goes nowhere."""
    case = first.first(MOST_CHECKED)
    gradient = look(case.aimed, case.images, judged=False).gradient
    nothing = int((gradient.flatten(1).abs().amax(dim=1) == 0).sum())
    found = f"the gradient is 0 at {nothing} of {len(gradient)} pictures: attacks by gradient do not leave them; compare with square"
    return Check("no picture's gradient is 0", nothing == 0, found if nothing else "")
