"""Losses of segmentation against torch, brute force and closed forms."""

import itertools

import pytest
import torch
from torch.nn import functional

from neocog.losses import SEGMENTATION_LOSSES, focal, lovasz, pixel_cross_entropy
from neocog.losses import dice as dice_loss
from neocog.targets import Masks

VOID = 255


def example(seed=0, classes=4, size=(2, 5, 6)):
    numbers = torch.Generator().manual_seed(seed)
    masks = torch.randint(0, classes, size, generator=numbers)
    masks[torch.rand(size, generator=numbers) < 0.2] = VOID
    logits = torch.randn(size[0], classes, *size[1:], generator=numbers, dtype=torch.float64)
    return logits, Masks(masks, VOID)


WEIGHTS = torch.tensor([0.5, 1.0, 2.0, 4.0], dtype=torch.float64)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_cross_entropy_is_torchs(weights):
    logits, masks = example()
    expected = functional.cross_entropy(logits, masks.classes, weight=weights, ignore_index=VOID)
    given = None if weights is None else weights.float()
    torch.testing.assert_close(pixel_cross_entropy(logits, masks, class_weights=given), expected)


def test_the_focal_loss_without_focus_is_the_cross_entropy():
    logits, masks = example()
    torch.testing.assert_close(focal(logits, masks, gamma=0.0), pixel_cross_entropy(logits, masks))


@pytest.mark.parametrize("gamma", [0.5, 2.0, 5.0])
def test_the_focal_loss_is_its_formula(gamma):
    logits, masks = example(1)
    total = weights = 0.0
    for b, y, x in itertools.product(*map(range, masks.classes.shape)):
        own = int(masks.classes[b, y, x])
        if own != VOID:
            p = float(logits[b, :, y, x].softmax(0)[own])
            total += float(WEIGHTS[own]) * -((1 - p) ** gamma) * torch.log(torch.tensor(p, dtype=torch.float64)).item()
            weights += float(WEIGHTS[own])
    found = focal(logits, masks, class_weights=WEIGHTS.float(), gamma=gamma)
    assert float(found) == pytest.approx(total / weights, rel=1e-6)


def test_dice_is_its_formula():
    logits, masks = example(2)
    logits[:, 3] = -50.0  # of a class that nothing is of below
    masks.classes[masks.classes == 3] = 0
    probabilities = logits.softmax(1)
    coefficients = []
    for index in range(3):
        truth = (masks.classes == index).double()
        labelled = (masks.classes != VOID).double()
        p = probabilities[:, index] * labelled
        coefficients.append(2 * (p * truth).sum() / (p.square().sum() + truth.sum()))
    torch.testing.assert_close(dice_loss(logits, masks), 1 - torch.stack(coefficients).mean())


@pytest.mark.parametrize("weights", [None, WEIGHTS.float()])
def test_dice_cross_entropy_is_the_sum_of_both(weights):
    logits, masks = example(9)
    entropy = functional.cross_entropy(logits, masks.classes, weight=None if weights is None else weights.double(), ignore_index=VOID)
    found = SEGMENTATION_LOSSES["dice_cross_entropy"](logits, masks, class_weights=weights)
    torch.testing.assert_close(found, entropy + dice_loss(logits, masks, class_weights=weights))


def by_definition(errors, truth):
    """The Lovász extension of 1 - IoU: the integral over t in [0, 1] of its value for the pixels whose error is above t."""
    levels = sorted({0.0, *errors.tolist()})
    total = 0.0
    for low, high in itertools.pairwise([*levels, 1.0]):
        wrong = errors > low + 1e-15
        kept, union = int((truth & ~wrong).sum()), int((truth | wrong).sum())
        total += (high - low) * (1 - kept / union if union else 0.0)
    return total


@pytest.mark.parametrize("seed", range(4))
def test_lovasz_is_the_extension_of_intersection_over_union(seed):
    logits, masks = example(seed, classes=3)
    labelled = masks.classes != VOID
    probabilities, expected = logits.softmax(1), []
    for index in masks.classes[labelled].unique().tolist():
        truth = (masks.classes == index)[labelled]
        errors = (truth.double() - probabilities[:, index][labelled]).abs()
        expected.append(by_definition(errors, truth))
    assert float(lovasz(logits, masks)) == pytest.approx(sum(expected) / len(expected), rel=1e-5)


def test_lovasz_of_certain_answers_is_one_minus_the_mean_intersection_over_union():
    numbers = torch.Generator().manual_seed(3)
    truth, answer = (torch.randint(0, 3, (2, 8, 9), generator=numbers) for _ in range(2))
    ious = [((truth == c) & (answer == c)).sum() / ((truth == c) | (answer == c)).sum() for c in range(3)]
    certain = 200.0 * functional.one_hot(answer, 3).movedim(-1, 1).double()
    assert float(lovasz(certain, Masks(truth, VOID))) == pytest.approx(1 - float(torch.stack(ious).mean()), abs=1e-6)


@pytest.mark.parametrize("name", SEGMENTATION_LOSSES)
class TestEvery:
    def test_void_pixels_do_not_count(self, name):
        logits, masks = example(4)
        changed = logits.clone()
        changed.movedim(1, -1)[masks.classes == VOID] = 7.0
        torch.testing.assert_close(SEGMENTATION_LOSSES[name](changed, masks), SEGMENTATION_LOSSES[name](logits, masks))

    def test_of_nothing_but_void_it_is_zero_with_a_gradient(self, name):
        logits = torch.randn(1, 3, 4, 4, requires_grad=True)
        loss = SEGMENTATION_LOSSES[name](logits, Masks(torch.full((1, 4, 4), VOID), VOID))
        loss.backward()
        assert float(loss.detach()) == 0
        assert not logits.grad.any()

    def test_a_certain_right_answer_costs_nothing(self, name):
        _, masks = example(5)
        right = 100.0 * functional.one_hot(masks.classes.masked_fill(masks.classes == VOID, 0), 4).movedim(-1, 1).float()
        assert float(SEGMENTATION_LOSSES[name](right, masks)) == pytest.approx(0, abs=1e-6)

    def test_steps_against_its_gradient_make_it_smaller(self, name):
        logits, masks = example(6)
        first = None
        for _ in range(20):
            logits = logits.detach().requires_grad_(True)
            loss = SEGMENTATION_LOSSES[name](logits, masks, class_weights=WEIGHTS.float())
            first = float(loss.detach()) if first is None else first
            loss.backward()
            logits = logits - 10 * logits.grad
        assert float(SEGMENTATION_LOSSES[name](logits, masks, class_weights=WEIGHTS.float()).detach()) < first

    def test_bfloat16_is_computed_in_float32(self, name):
        logits, masks = example(7)
        loss = SEGMENTATION_LOSSES[name](logits.bfloat16(), masks)
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss, SEGMENTATION_LOSSES[name](logits.bfloat16().float(), masks))

    def test_the_order_of_dimensions_in_memory_does_not_matter(self, name):
        logits, masks = example(8)
        interleaved = logits.float().contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(SEGMENTATION_LOSSES[name](interleaved, masks), SEGMENTATION_LOSSES[name](logits.float(), masks))
