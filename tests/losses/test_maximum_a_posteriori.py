"""The loss of equation 9, against the equation itself and PyTorch's cross-entropy with one class more."""

from typing import get_args, get_type_hints

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from neocog.losses import CLASSIFICATION_LOSSES, label_weights, maximum_a_posteriori
from neocog.losses.maximum_a_posteriori import RUBBISH_PENALTY
from neocog.targets import Labels
from neocog.tasks.classify import ClassifyOptions


def unmixed(classes):
    return Labels(classes, classes.clone(), torch.ones(len(classes)))


def sample(count=12, classes=5, seed=0):
    numbers = torch.Generator().manual_seed(seed)
    return -10 * torch.rand(count, classes, generator=numbers), torch.randint(0, classes, (count,), generator=numbers)


def with_rubbish(logits):
    return torch.cat([logits, torch.full_like(logits[:, :1], -RUBBISH_PENALTY)], dim=1)


def test_it_is_equation_9():
    logits, classes = sample()
    penalties = -logits.double()
    j = torch.tensor(RUBBISH_PENALTY, dtype=torch.float64)
    right = penalties[torch.arange(12), classes]
    expected = (right + torch.log(torch.exp(-j) + torch.exp(-penalties).sum(dim=1))).mean()
    assert torch.isclose(maximum_a_posteriori(logits, unmixed(classes)).double(), expected)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), count=st.integers(1, 20))
def test_it_is_cross_entropy_with_a_class_for_rubbish(seed, count):
    logits, classes = sample(count, seed=seed)
    expected = functional.cross_entropy(with_rubbish(logits), classes)
    assert torch.isclose(maximum_a_posteriori(logits, unmixed(classes)), expected, rtol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_mixed_and_smoothed_targets_are_shares_of_the_classes(smoothing):
    logits, classes = sample()
    others, share = classes.roll(1), torch.rand(12)
    target = share[:, None] * functional.one_hot(classes, 6) + (1 - share)[:, None] * functional.one_hot(others, 6)
    target = (1 - smoothing) * target + smoothing / 5 * (torch.arange(6) < 5)
    ours = maximum_a_posteriori(logits, Labels(classes, others, share), label_smoothing=smoothing)
    assert torch.isclose(ours, functional.cross_entropy(with_rubbish(logits), target), rtol=1e-5)


def test_weighted_it_is_the_mean_by_the_labels_weights():
    logits, classes = sample()
    weights = torch.tensor([0.5, 1, 2, 4, 0.25])
    ours = maximum_a_posteriori(logits, unmixed(classes), class_weights=weights)
    wide = torch.cat([weights, torch.ones(1)])
    assert torch.isclose(ours, functional.cross_entropy(with_rubbish(logits), classes, weight=wide), rtol=1e-5)
    parts = [slice(5), slice(5, 12)]
    amounts = [label_weights(unmixed(classes[rows]), weights).sum() for rows in parts]
    losses = [maximum_a_posteriori(logits[rows], unmixed(classes[rows]), class_weights=weights) for rows in parts]
    assert torch.isclose(sum(a * loss for a, loss in zip(amounts, losses, strict=True)) / sum(amounts), ours, rtol=1e-5)


def test_gradients_are_those_of_finite_differences():
    logits, classes = sample(4)
    weights = torch.tensor([0.5, 1, 2, 4, 0.25], dtype=torch.float64)
    labels = Labels(classes, classes.roll(1), torch.tensor([1.0, 0.5, 0.2, 0.0]))
    values = logits.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: maximum_a_posteriori(x, labels, label_smoothing=0.1, class_weights=weights), values)


def test_a_penalty_far_above_the_rubbishs_is_left_alone_unless_it_is_the_right_classs():
    penalties = torch.tensor([[RUBBISH_PENALTY + 30.0, RUBBISH_PENALTY + 30.0, RUBBISH_PENALTY]])
    logits = (-penalties).requires_grad_()
    maximum_a_posteriori(logits, unmixed(torch.tensor([0]))).backward()
    right, far, near = logits.grad[0].tolist()
    assert right == pytest.approx(-1)
    assert far == pytest.approx(0, abs=1e-6)
    assert near == pytest.approx(0.5)


def test_half_precision_is_computed_in_full():
    logits, classes = sample()
    loss = maximum_a_posteriori(logits.bfloat16(), unmixed(classes))
    assert loss.dtype == torch.float32
    assert torch.isclose(loss, maximum_a_posteriori(logits.bfloat16().float(), unmixed(classes)), rtol=1e-6)
    assert maximum_a_posteriori(logits.double(), unmixed(classes)).dtype == torch.float64


def test_every_loss_can_be_chosen():
    assert sorted(get_args(get_type_hints(ClassifyOptions)["loss"])) == sorted(["auto", *CLASSIFICATION_LOSSES])
