"""On linear networks every attack has a closed form."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from neocog.attack.balls import distances
from neocog.attack.carlini_wagner import CarliniWagnerOptions, carlini_wagner
from neocog.attack.deepfool import DeepFoolOptions, deepfool
from neocog.attack.fgsm import FGSMOptions, fgsm
from neocog.attack.iterative_fgsm import IterativeFGSMOptions, iterative_fgsm
from neocog.attack.lbfgs import LBFGSOptions, lbfgs
from neocog.attack.momentum_fgsm import MomentumFGSMOptions, momentum_fgsm
from neocog.attack.pgd import PGDOptions, pgd
from neocog.attack.square import SquareOptions, square
from neocog.batch import Preprocess
from neocog.models.network import Network
from neocog.tasks.classify import ClassifyObjective

SIDE = 5


@pytest.fixture(scope="module")
def plane():
    """Two classes, images in the middle of the range, and for each the difference of scores and of weights."""
    torch.manual_seed(0)
    plain = Preprocess((SIDE, SIDE), (SIDE, SIDE), 1, (0.0,), (1.0,))
    head = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 2))
    network = Network({}, head, channels=(), preprocess=plain, num_classes=2).eval()
    images = 0.35 + 0.3 * torch.rand(6, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        classes = network(images).argmax(dim=1)
        scores = network(images)
        gaps = scores.gather(1, classes[:, None])[:, 0] - scores.gather(1, 1 - classes[:, None])[:, 0]
        weights = head[1].weight[1 - classes] - head[1].weight[classes]
    return ClassifyObjective(network, classes), images, gaps, weights


def call(method, objective, images, options):
    return method(objective, images, options, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_one_step_reaches_the_loss_that_the_dual_norm_gives(plane, norm):
    objective, images, gaps, weights = plane
    epsilon = 0.02 if norm == "linf" else 0.1
    rise = epsilon * weights.norm(p=1 if norm == "linf" else 2, dim=1)
    attacked = call(fgsm, objective, images, FGSMOptions(epsilon=epsilon, norm=norm))
    torch.testing.assert_close(objective.loss(attacked).detach(), functional.softplus(rise - gaps), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        (pgd, PGDOptions(epsilon=0.02, stop_early=False)),
        (pgd, PGDOptions(epsilon=0.02, stop_early=False, restarts=3, steps=10)),
        (momentum_fgsm, MomentumFGSMOptions(epsilon=0.02, stop_early=False)),
        (iterative_fgsm, IterativeFGSMOptions(epsilon=0.02, stop_early=False)),
    ],
)
def test_many_steps_reach_no_less_and_no_more(plane, method, options):
    objective, images, gaps, weights = plane
    attacked = call(method, objective, images, options)
    expected = functional.softplus(0.02 * weights.norm(p=1, dim=1) - gaps)
    torch.testing.assert_close(objective.loss(attacked).detach(), expected, rtol=1e-4, atol=1e-5)


def test_in_l2_too(plane):
    objective, images, gaps, weights = plane
    expected = functional.softplus(0.1 * weights.norm(dim=1) - gaps)
    for options in (PGDOptions(epsilon=0.1, norm="l2", stop_early=False), MomentumFGSMOptions(epsilon=0.1, norm="l2", stop_early=False)):
        method = pgd if isinstance(options, PGDOptions) else momentum_fgsm
        attacked = call(method, objective, images, options)
        torch.testing.assert_close(objective.loss(attacked).detach(), expected, rtol=5e-3, atol=1e-3)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_squares_come_near_to_what_one_step_reaches(plane, norm):
    """The best of a linear network lies at a corner of the cube, and random squares of one pixel find it."""
    objective, images, gaps, weights = plane
    epsilon = float((gaps / weights.norm(p=1 if norm == "linf" else 2, dim=1)).max()) * (1.3 if norm == "linf" else 2)
    attacked = call(square, objective, images, SquareOptions(epsilon=epsilon, norm=norm, queries=1500))
    assert objective.fooled(attacked).all()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_deepfool_goes_to_the_border_and_a_fiftieth_further(plane, norm):
    objective, images, gaps, weights = plane
    distance = gaps / weights.norm(p=1 if norm == "linf" else 2, dim=1)
    attacked = call(deepfool, objective, images, DeepFoolOptions(norm=norm))
    assert objective.fooled(attacked).all()
    torch.testing.assert_close(distances(attacked, images, norm).float(), 1.02 * (distance + 1e-4), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("method", "options"),
    [(carlini_wagner, CarliniWagnerOptions(initial_weight=0.1, searches=8)), (lbfgs, LBFGSOptions(searches=14))],
)
def test_the_search_for_the_least_weight_ends_near_the_border(plane, method, options):
    objective, images, gaps, weights = plane
    attacked = call(method, objective, images, options)
    assert objective.fooled(attacked).all()
    nearest, least = distances(attacked, images, "l2"), gaps / weights.norm(dim=1)
    assert (nearest > 0.999 * least).all()
    assert (nearest < 1.05 * least + 0.01).all()  # a step of Adam is not finer


def test_confidence_asks_for_a_margin(plane):
    objective, images, _, _ = plane
    attacked = call(carlini_wagner, objective, images, CarliniWagnerOptions(confidence=0.5, steps=60, searches=6, initial_weight=0.1))
    scores = objective.scores(attacked).detach().sort(dim=1, descending=True).values
    assert objective.fooled(attacked).all()
    assert (scores[:, 0] - scores[:, 1] >= 0.5 - 1e-5).all()
