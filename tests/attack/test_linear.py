"""A linear classifier is moved as far as the norms of its weights say, and nothing inside the ball moves it further."""

import pytest
import torch
from torch import nn

from examine.handmade import asked
from neocog.attack.balls import distances
from neocog.attack.linear import LinearOptions, linear
from neocog.attack.pgd import PGDOptions, pgd
from neocog.errors import UsageError
from neocog.tasks.classify import ClassifyObjective

SIDE, CLASSES = 6, 4


def softmax_regression(scale=1.0):
    torch.manual_seed(0)
    head = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, CLASSES))
    with torch.no_grad():
        head[1].weight.mul_(scale)
    return asked({}, head, channels=(), size=SIDE, classes=CLASSES)


def grey(count=3):
    """Images so far from black and white that no value ends at either."""
    return 0.4 + 0.2 * torch.rand(count, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def weights_of(trained):
    return trained.model.head[1].weight.detach()


def attack(objective, images, epsilon, norm):
    return linear(objective, images, LinearOptions(epsilon=epsilon, norm=norm), generator=torch.Generator())


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("target", range(CLASSES))
def test_the_score_of_the_class_aimed_at_rises_by_epsilon_times_the_dual_norm(norm, target):
    trained, images = softmax_regression(), grey()
    objective = ClassifyObjective(trained.model, None, target)
    moved = attack(objective, images, 0.1, norm)
    rise = (objective.score(moved) - objective.score(images)).detach()
    length = weights_of(trained)[target].norm(p=1 if norm == "linf" else 2)
    torch.testing.assert_close(rise, (0.1 * length).expand(3), atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_away_from_the_truth_the_lead_of_a_rival_grows_by_epsilon_times_the_dual_norm_of_the_difference(norm):
    trained, images = softmax_regression(), grey()
    truth, order = torch.tensor([2, 0, 3]), 1 if norm == "linf" else 2
    objective = ClassifyObjective(trained.model, truth)
    before, after = (objective.scores(seen).detach() for seen in (images, attack(objective, images, 0.05, norm)))
    weights = weights_of(trained)
    for row, own in enumerate(truth.tolist()):
        reach = 0.05 * (weights - weights[own]).norm(p=order, dim=1)
        leads = before[row] - before[row, own] + reach
        rival = max((index for index in range(CLASSES) if index != own), key=lambda index: float(leads[index]))
        assert float(after[row, rival] - after[row, own]) == pytest.approx(float(leads[rival]), abs=2e-5)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_where_it_does_not_fool_nothing_in_the_ball_does(norm):
    trained, images = softmax_regression(), grey(60)
    scores, weights = ClassifyObjective(trained.model, None).scores(images).detach(), weights_of(trained)
    truth, order = scores.argmax(dim=1), 1 if norm == "linf" else 2
    margins = scores.gather(1, truth[:, None]) - scores
    lengths = (weights[truth][:, None] - weights).norm(p=order, dim=2).clamp(min=1e-9)
    needed = (margins / lengths).scatter(1, truth[:, None], torch.inf).amin(dim=1)  # the least norm that fools
    objective = ClassifyObjective(trained.model, truth)
    epsilon = float(needed.median()) * 1.001
    fooled = objective.fooled(attack(objective, images, epsilon, norm))
    assert torch.equal(fooled, needed < epsilon)
    options = PGDOptions(epsilon=epsilon, norm=norm, steps=60, restarts=3)
    others = objective.fooled(pgd(objective, images, options, generator=torch.Generator().manual_seed(0)))
    assert not (others & ~fooled).any()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_nothing_else_inside_the_ball_goes_further(norm):
    trained, images = softmax_regression(), grey(1)
    objective = ClassifyObjective(trained.model, None, 1)
    moved = attack(objective, images, 0.1, norm)
    others = torch.randn(2000, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(2))
    others = 0.1 * (others.sign() if norm == "linf" else others / others.flatten(1).norm(dim=1)[:, None, None, None])
    assert float(objective.score(images + others).detach().max()) < float(objective.score(moved).detach())


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("epsilon", [0.1, 0.7, 5.0])
def test_images_stay_inside_the_ball_and_in_range(norm, epsilon):
    images = torch.rand(4, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(3))
    moved = attack(ClassifyObjective(softmax_regression().model, torch.zeros(4, dtype=torch.int64)), images, epsilon, norm)
    assert float(distances(moved, images, norm).max()) <= epsilon
    assert 0 <= float(moved.min()) <= float(moved.max()) <= 1


def test_a_network_that_is_not_linear_is_refused():
    torch.manual_seed(0)
    head = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 20), nn.ReLU(), nn.Linear(20, CLASSES))
    trained = asked({}, head, channels=(), size=SIDE, classes=CLASSES)
    with pytest.raises(UsageError) as caught:
        attack(ClassifyObjective(trained.model, torch.zeros(3, dtype=torch.int64)), grey(), 0.1, "linf")
    assert caught.value.expected == "scores that are linear in the picture, for linear"
    assert caught.value.remedy == "use fgsm, which takes a network as linear near the picture"


def test_large_weights_are_linear_too():
    trained = softmax_regression(scale=1e4)
    assert attack(ClassifyObjective(trained.model, None, 0), grey(), 0.1, "linf").shape == (3, 1, SIDE, SIDE)
