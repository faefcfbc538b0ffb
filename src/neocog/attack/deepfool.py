"""DeepFool: as if the network were linear, step onto the nearest border between two classes, until one is crossed.

S. Moosavi-Dezfooli, A. Fawzi, P. Frossard, "DeepFool: a simple and accurate method to fool deep neural networks",
2015, https://arxiv.org/abs/1511.04599, algorithm 2; for linf section 3.3 with p infinite. As in the authors' program,
an image is judged where the overshoot takes it, and every step goes a little over the border. It stays in [0, 1].
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neocog.attack.ascent import gradient_of, judge, require_decision
from neocog.attack.member import ATTACKS, Attack, Norm
from neocog.objective import Decides, Objective
from neocog.options import check, option

__all__ = ["DeepFoolOptions", "deepfool"]

OVER = 1e-4  # what a step goes over the border: where values end at 0 and 1, steps onto it would never cross it


@dataclass(frozen=True)
class DeepFoolOptions:
    """What can be chosen."""

    norm: Norm = option("l2", "how the perturbation is measured", flag=False)
    steps: int = option(50, "most steps of the attack", low=1)
    overshoot: float = option(0.02, "share of the perturbation that is added to cross the border", low=0)
    candidates: int = option(10, "classes with the highest scores whose borders are looked at", low=2)

    def __post_init__(self) -> None:
        check(self)


class _Borders(NamedTuple):
    """For each image the way to the border with each of the candidates, the network taken as linear."""

    gaps: Float[Tensor, "b n"]  # score of the own class less the candidate's
    gradients: Float[Tensor, "n b c h w"]  # of the candidate's score less the own


def deepfool(
    objective: Objective, images: Float[Tensor, "b c h w"], options: DeepFoolOptions, *, generator: torch.Generator
) -> Float[Tensor, "b c h w"]:
    """See Attack; draws nothing.

    Raises:
        UsageError: the task has not one class a picture, or the network no gradients.
    """
    require_decision(objective, "deepfool")
    found, current, moved = images.clone(), images, torch.zeros_like(images)
    rows = torch.arange(len(images), device=images.device)
    candidates = _candidates(objective, images, options.candidates)
    for _ in range(options.steps):
        fooled = judge(objective, current)
        found[rows[fooled]] = current[fooled]
        left = (~fooled).nonzero()[:, 0]
        if not len(left):
            return found
        rows, objective, moved, candidates = rows[left], objective.select(left), moved[left], candidates[left]
        borders = _borders(require_decision(objective, "deepfool"), current[left], candidates)
        moved = moved + _step(borders, options.norm)
        current = (images[rows] + (1 + options.overshoot) * moved).clamp(0, 1)
    fooled = judge(objective, current)
    found[rows[fooled]] = current[fooled]
    return found


def _candidates(objective: Objective, images: Tensor, count: int) -> Int64[Tensor, "b n"]:
    """The classes with the highest scores at the outset, the own one left out."""
    decides = require_decision(objective, "deepfool")
    with torch.no_grad():
        scores = decides.scores(images)
    others = scores.scatter(1, decides.asked(scores)[:, None], -torch.inf)
    return others.topk(min(count, scores.shape[1]) - 1, dim=1).indices


def _borders(objective: Decides, images: Tensor, candidates: Int64[Tensor, "b n"]) -> _Borders:
    leaf = images.detach().requires_grad_()
    with torch.enable_grad():
        scores = objective.scores(leaf)
        own = scores.gather(1, objective.asked(scores)[:, None])
        gaps = own - scores.gather(1, candidates)
        gradients = [gradient_of(-gap, leaf, again=True) for gap in gaps.unbind(dim=1)]
    return _Borders(gaps.detach(), torch.stack(gradients))


def _step(borders: _Borders, norm: Norm) -> Float[Tensor, "b c h w"]:
    """Onto the nearest border; nowhere where no gradient says where it is."""
    flat = borders.gradients.transpose(0, 1).flatten(2)
    sizes = flat.abs().sum(dim=2) if norm == "linf" else flat.norm(dim=2)
    known: Bool[Tensor, "b n"] = sizes > 0
    distances = torch.where(known, borders.gaps.abs() / sizes.clamp(min=torch.finfo(sizes.dtype).tiny), torch.inf)
    nearest = distances.argmin(dim=1)
    rows = torch.arange(len(flat), device=flat.device)
    gradient, size, distance = flat[rows, nearest], sizes[rows, nearest, None], distances[rows, nearest, None]
    direction = gradient.sign() if norm == "linf" else gradient / size.clamp(min=torch.finfo(size.dtype).tiny)
    return torch.where(known.any(dim=1, keepdim=True), (distance + OVER) * direction, 0.0).view_as(borders.gradients[0])


ATTACKS.add(
    "deepfool",
    Attack(
        deepfool,
        DeepFoolOptions,
        norms=("l2", "linf"),
        bounded=False,
        targeted=False,
        one_class=True,
        summary="steps onto the nearest border of a class, as if the network were linear",
        source="S. Moosavi-Dezfooli et al., 2015, DeepFool, https://arxiv.org/abs/1511.04599",
    ),
)
