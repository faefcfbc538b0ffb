"""Squared error, against its formula written out."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neocog.losses import CLASSIFICATION_LOSSES, label_weights, squared_error
from neocog.targets import Labels


def sample(count=12, classes=5, seed=0):
    numbers = torch.Generator().manual_seed(seed)
    return torch.randn(count, classes, generator=numbers) * 3, torch.randint(0, classes, (count,), generator=numbers)


def unmixed(classes):
    return Labels(classes, classes.clone(), torch.ones(len(classes)))


def formula(logits, classes, others, share, smoothing=0.0, weights=None):
    """Picture by picture and class by class."""
    total = amounts = 0.0
    for row, scores in enumerate(logits.tolist()):
        own, other, part = int(classes[row]), int(others[row]), float(share[row])
        amount = 1.0 if weights is None else part * float(weights[own]) + (1 - part) * float(weights[other])
        amounts += amount
        for index, score in enumerate(scores):
            likely = part * (index == own) + (1 - part) * (index == other)
            likely = (1 - smoothing) * likely + smoothing / len(scores)
            total += amount * (score - (likely - (1 - likely))) ** 2
    return total / amounts


@settings(max_examples=40, deadline=None)
@given(smoothing=st.floats(0, 1), mixed=st.booleans(), weighted=st.booleans(), seed=st.integers(0, 1000), count=st.integers(1, 20))
def test_it_is_its_formula(smoothing, mixed, weighted, seed, count):
    logits, classes = sample(count, seed=seed)
    numbers = torch.Generator().manual_seed(seed)
    others = classes.roll(1)
    share = torch.rand(count, generator=numbers) if mixed else torch.ones(count)
    weights = torch.rand(5, generator=numbers) + 0.1 if weighted else None
    ours = squared_error(logits, Labels(classes, others, share), label_smoothing=smoothing, class_weights=weights)
    assert float(ours) == pytest.approx(formula(logits, classes, others, share, smoothing, weights), rel=1e-4)


def test_it_is_zero_where_every_output_is_plus_or_minus_one_as_it_should():
    classes = torch.tensor([2, 0])
    logits = torch.tensor([[-1.0, -1, 1], [1, -1, -1]])
    assert squared_error(logits, unmixed(classes)) == 0
    assert squared_error(-logits, unmixed(classes)) == 3 * 2**2


def test_its_gradient_is_twice_the_error_over_the_pictures():
    logits, classes = sample()
    logits.requires_grad_()
    squared_error(logits, unmixed(classes)).backward()
    wanted = torch.full((12, 5), -1.0)
    wanted[torch.arange(12), classes] = 1
    torch.testing.assert_close(logits.grad, 2 * (logits.detach() - wanted) / 12)


def test_parts_weighed_by_their_labels_weights_are_the_whole():
    logits, classes = sample()
    others, share, weights = classes.roll(1), torch.rand(12), torch.tensor([0.5, 1, 2, 4, 0.25])
    whole = squared_error(logits, Labels(classes, others, share), class_weights=weights)
    total = amounts = torch.zeros(())
    for rows in (slice(5), slice(5, 12)):
        part = Labels(classes[rows], others[rows], share[rows])
        amount = label_weights(part, weights).sum()
        total = total + amount * squared_error(logits[rows], part, class_weights=weights)
        amounts = amounts + amount
    torch.testing.assert_close(total / amounts, whole, rtol=1e-5, atol=0)


def test_half_precision_is_computed_in_full():
    logits, classes = sample()
    half = logits.bfloat16()
    loss = squared_error(half, unmixed(classes))
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, squared_error(half.float(), unmixed(classes)))
    assert squared_error(logits.double(), unmixed(classes)).dtype == torch.float64


def test_it_can_be_chosen_by_name():
    assert CLASSIFICATION_LOSSES["squared_error"] is squared_error
