"""Cross-entropy, against PyTorch's own."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from neocog.losses import cross_entropy, label_weights
from neocog.targets import Labels


def unmixed(classes):
    return Labels(classes, classes.clone(), torch.ones(len(classes)))


def sample(count=12, classes=5, seed=0):
    numbers = torch.Generator().manual_seed(seed)
    return torch.randn(count, classes, generator=numbers) * 3, torch.randint(0, classes, (count,), generator=numbers)


@settings(max_examples=40, deadline=None)
@given(smoothing=st.floats(0, 1), weighted=st.booleans(), seed=st.integers(0, 1000), count=st.integers(1, 20))
def test_unmixed_it_is_pytorch_s(smoothing, weighted, seed, count):
    logits, classes = sample(count, seed=seed)
    weights = torch.rand(5, generator=torch.Generator().manual_seed(seed)) + 0.1 if weighted else None
    ours = cross_entropy(logits, unmixed(classes), label_smoothing=smoothing, class_weights=weights)
    theirs = functional.cross_entropy(logits, classes, weight=weights, label_smoothing=smoothing)
    assert torch.isclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_mixed_it_is_pytorch_s_for_shares_of_classes(smoothing):
    logits, classes = sample()
    others, share = classes.roll(1), torch.rand(12)
    target = share[:, None] * functional.one_hot(classes, 5) + (1 - share)[:, None] * functional.one_hot(others, 5)
    ours = cross_entropy(logits, Labels(classes, others, share), label_smoothing=smoothing)
    assert torch.isclose(ours, functional.cross_entropy(logits, target, label_smoothing=smoothing), rtol=1e-5)


def test_mixed_and_weighted_it_is_the_mean_by_the_labels_weights():
    logits, classes = sample()
    others, share, weights = classes.roll(1), torch.rand(12), torch.tensor([0.5, 1, 2, 4, 0.25])
    logs = logits.log_softmax(1)
    amounts = torch.stack([share * weights[classes], (1 - share) * weights[others]])
    losses = -torch.stack([logs.gather(1, classes[:, None])[:, 0], logs.gather(1, others[:, None])[:, 0]])
    expected = (amounts * losses).sum() / amounts.sum()
    assert torch.isclose(cross_entropy(logits, Labels(classes, others, share), class_weights=weights), expected, rtol=1e-5)


def test_parts_weighed_by_their_labels_weights_are_the_whole():
    logits, classes = sample()
    others, share, weights = classes.roll(1), torch.rand(12), torch.tensor([0.5, 1, 2, 4, 0.25])
    whole = cross_entropy(logits, Labels(classes, others, share), class_weights=weights)
    total = amounts = torch.zeros(())
    for rows in (slice(5), slice(5, 12)):
        part = Labels(classes[rows], others[rows], share[rows])
        amount = label_weights(part, weights).sum()
        total = total + amount * cross_entropy(logits[rows], part, class_weights=weights)
        amounts = amounts + amount
    assert torch.isclose(total / amounts, whole, rtol=1e-5)


def test_gradients_are_pytorch_s():
    logits, classes = sample()
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    cross_entropy(ours, unmixed(classes), label_smoothing=0.1).backward()
    functional.cross_entropy(theirs, classes, label_smoothing=0.1).backward()
    assert torch.allclose(ours.grad, theirs.grad, atol=1e-7)


def test_half_precision_is_computed_in_full():
    logits, classes = sample()
    loss = cross_entropy(logits.bfloat16(), unmixed(classes))
    assert loss.dtype == torch.float32
    assert torch.isclose(loss, functional.cross_entropy(logits.bfloat16().float(), classes), rtol=1e-6)
    assert cross_entropy(logits.double(), unmixed(classes)).dtype == torch.float64
