"""Adversarial training: the network learns from its own adversarial examples, made anew in every step.

A. Madry, A. Makelov, L. Schmidt, D. Tsipras, A. Vladu, "Towards Deep Learning Models Resistant to Adversarial
Attacks", 2017, https://arxiv.org/abs/1706.06083, section 2: the weights are to do well on the worst image of a ball
about each picture, which `pgd` looks for in a few steps, and `fgsm` in one from a random point of the ball (E. Wong,
L. Rice, J. Z. Kolter, "Fast is better than free: Revisiting adversarial training", 2020, https://arxiv.org/abs/2001.03994).

The network is attacked in evaluation mode, as in H. Zhang et al., "Theoretically Principled Trade-off between Robustness
and Accuracy", 2019: without dropout, and with the running statistics of its batch norms, which the attack's passes do not
enter. The pass that is learnt from is in training mode, so that these statistics are of adversarial examples alone.
Augmentation comes before the attack.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch

from neocog import random
from neocog.attack import Norm
from neocog.attack.pgd import PGDOptions, pgd
from neocog.batch import Batch
from neocog.engine import Plan
from neocog.models.network import Network
from neocog.options import check, option, options_of
from neocog.recipe import Recipe
from neocog.targets import Labels
from neocog.tasks import Task

__all__ = ["ADVERSARIES", "Adversary", "FGSMTraining", "PGDTraining", "adversary_of"]

RADIUS = "radius of the ball around each training picture, on the scale 0 to 1"
LENGTH = "length of the attack's steps as a share of epsilon"


@dataclass(frozen=True)
class FGSMTraining:
    """One step along the sign of the gradient, from a random point of the ball."""

    epsilon: float = option(8 / 255, RADIUS, above=0)
    attack_norm: Norm = option("linf", "how the radius is measured")
    attack_step: float = option(1.25, LENGTH, above=0)

    def __post_init__(self) -> None:
        check(self)

    def attack(self) -> PGDOptions:
        """The attack that it is."""
        return PGDOptions(self.epsilon, self.attack_norm, steps=1, step=self.attack_step, stop_early=False)


@dataclass(frozen=True)
class PGDTraining:
    """Several steps along the sign of the gradient, from a random point of the ball."""

    epsilon: float = option(8 / 255, RADIUS, above=0)
    attack_norm: Norm = option("linf", "how the radius is measured")
    attack_steps: int = option(7, "steps of the attack", low=1)
    attack_step: float | None = option(None, f"{LENGTH}; none for 2.5 divided by the steps", above=0)

    def __post_init__(self) -> None:
        check(self)

    def attack(self) -> PGDOptions:
        """The attack that it is."""
        return PGDOptions(self.epsilon, self.attack_norm, steps=self.attack_steps, step=self.attack_step, stop_early=False)


ADVERSARIES: Mapping[str, type[FGSMTraining] | type[PGDTraining]] = {"fgsm": FGSMTraining, "pgd": PGDTraining}
"""By their names in a recipe."""


class Adversary:
    """What changes the pictures of every step.

    Args:
        task: whose objective is attacked; where a network can decide between classes, its cross-entropy.
        attack: how.
        seed: the recipe's.
    """

    def __init__(self, task: Task, attack: PGDOptions, seed: int) -> None:
        self._task = task
        self._attack = attack
        self._seed = seed

    def attacked(self, model: Network, plan: Plan, batch: Batch, *, epoch: int, step: int) -> Batch:
        """The batch with adversarial examples of its pictures.

        Args:
            model: prepared for the plan; modes, weights, statistics and gradients are afterwards as before.
            plan: how the attack is computed, as the step itself.
            batch: augmented; padding stays as it is. Of a picture mixed of two classes the one with the larger share
                is asked about.
            epoch: counted from 0.
            step: counted from 0 over the whole training; it draws anew in each.
        """
        first = int(batch.keys[0])  # the parts of a step draw differently
        draws = random.generator(self._seed, "adversarial", epoch, step, first, device=batch.pixels.device)
        clean = batch.images
        with _evaluating(model):
            objective: Any = self._task.objective(model, _with_one_class(batch))
            if hasattr(objective, "computed_by"):
                objective = objective.computed_by(model, plan)
            images = pgd(objective, clean, self._attack, generator=draws)
        if batch.valid is not None:
            images = torch.where(batch.valid[:, None], images, clean)
        return replace(batch, pixels=images)


def adversary_of(recipe: Recipe, task: Task) -> Adversary | None:
    """What the recipe asks for; None where it asks for none.

    Raises:
        RecipeError: its options are wrong.
    """
    if recipe.adversarial is None:
        return None
    options = options_of(ADVERSARIES[recipe.adversarial], recipe.adversarial_options, f"the adversarial training {recipe.adversarial}")
    return Adversary(task, options.attack(), recipe.seed)


def _with_one_class(batch: Batch) -> Batch:
    labels = batch.targets
    if not isinstance(labels, Labels):
        return batch
    larger = torch.where(labels.share >= 0.5, labels.classes, labels.others)
    return replace(batch, targets=replace(labels, classes=larger, others=larger, share=torch.ones_like(labels.share)))


@contextmanager
def _evaluating(model: Network) -> Iterator[None]:
    """Inside, all of a network is in evaluation mode; afterwards each part is in its own again."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
