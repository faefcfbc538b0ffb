"""Metrics of segmentation against scikit-learn, torchmetrics and brute force."""

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, jaccard_score
from torchmetrics.classification import MulticlassAccuracy, MulticlassJaccardIndex

from neocog.errors import DataError
from neocog.metrics.boundaries import TOLERANCE, border, boundary_f1, near
from neocog.metrics.segmentation import SegmentationMetrics
from neocog.targets import Mask

CLASSES, VOID = 5, 11


def mask(array, void=None):
    return Mask(torch.from_numpy(np.asarray(array).astype(np.uint16)), void)


def pictures(count=3, size=(20, 30), seed=0):
    """Truths in blobs with some void, and answers that are partly wrong."""
    numbers = np.random.default_rng(seed)
    truths, answers = [], []
    for _ in range(count):
        truth = np.kron(numbers.integers(0, CLASSES, (size[0] // 5, size[1] // 5)), np.ones((5, 5), dtype=int))
        answer = np.where(numbers.random(size) < 0.2, numbers.integers(0, CLASSES, size), truth)
        truths.append(np.where(numbers.random(size) < 0.1, VOID, truth))
        answers.append(answer)
    return truths, answers


def gathered(truths, answers, **options):
    metrics = SegmentationMetrics(CLASSES, **options)
    metrics.update([mask(answer) for answer in answers], [mask(truth, VOID) for truth in truths])
    return metrics


def test_confusion_and_intersection_over_union_are_scikit_learns():
    truths, answers = pictures()
    truth, answer = np.concatenate([t.ravel() for t in truths]), np.concatenate([a.ravel() for a in answers])
    labelled = truth != VOID
    metrics = gathered(truths, answers)
    expected = confusion_matrix(truth[labelled], answer[labelled], labels=range(CLASSES))
    assert metrics.confusion.tolist() == expected.tolist()
    ious = jaccard_score(truth[labelled], answer[labelled], labels=range(CLASSES), average=None)
    np.testing.assert_allclose(metrics.per_class().iou.numpy(), ious)
    assert metrics.compute()["miou"] == pytest.approx(ious.mean())


def test_figures_are_torchmetrics():
    truths, answers = pictures(seed=1)
    truth, answer = torch.from_numpy(np.stack(truths)), torch.from_numpy(np.stack(answers))
    oracles = {
        "miou": MulticlassJaccardIndex(CLASSES, ignore_index=VOID),
        "pixel_accuracy": MulticlassAccuracy(CLASSES, average="micro", ignore_index=VOID),
        "mean_accuracy": MulticlassAccuracy(CLASSES, average="macro", ignore_index=VOID),
    }
    found = gathered(truths, answers).compute()
    assert {name: found[name] for name in oracles} == pytest.approx(
        {name: float(oracle(answer, truth)) for name, oracle in oracles.items()}
    )


def test_classes_that_do_not_occur_have_no_part_in_the_means():
    metrics = SegmentationMetrics(4)
    metrics.update([mask([[0, 0], [1, 2]])], [mask([[0, 0], [1, 1]])])
    assert metrics.compute()["miou"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert metrics.compute()["mean_accuracy"] == pytest.approx((1 + 1 / 2) / 2)
    assert [row["name"] for row in metrics.class_rows("abcd")] == ["a", "b", "c"]


def test_two_halves_are_the_whole():
    truths, answers = pictures(4)
    whole, first, second = gathered(truths, answers), gathered(truths[:1], answers[:1]), gathered(truths[1:], answers[1:])
    first.merge(second)
    assert first.compute() == whole.compute()
    again = SegmentationMetrics(CLASSES)
    again.load_state(first.state())
    assert again.compute() == whole.compute()


def test_nothing_to_measure_by_is_an_error():
    metrics = SegmentationMetrics(3)
    metrics.update([mask([[0]])], [mask([[7]], void=7)])
    with pytest.raises(DataError) as caught:
        metrics.compute()
    assert str(caught.value) == (
        "expected: at least one labelled pixel to measure by\nfound: none\nto do: measure on a split that has pictures"
    )


def by_definition(answer, truth, count, tolerance):
    """Csurka et al. by all pairs of border pixels."""

    def borders(array, index):
        height, width = array.shape
        found = []
        for y in range(height):
            for x in range(width):
                around = [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
                inside = [array[p] for p in around if 0 <= p[0] < height and 0 <= p[1] < width]
                if array[y, x] == index and any(other not in (index, -1) for other in inside):
                    found.append((y, x))
        return found

    def share(own, others):
        if not own:
            return 0.0
        return sum(any(math.dist(p, q) <= tolerance for q in others) for p in own) / len(own)

    scores = []
    for index in range(count):
        found, wanted = borders(answer, index), borders(truth, index)
        if not found and not wanted:
            scores.append(math.nan)
            continue
        precision, recall = share(found, wanted), share(wanted, found)
        scores.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
    return scores


@pytest.mark.parametrize("tolerance", [0.0, 1.0, 1.5, 2.9])
@pytest.mark.parametrize("seed", range(3))
def test_boundary_f1_is_its_definition(seed, tolerance):
    truths, answers = pictures(1, (15, 20), seed)
    truth, answer = (np.where(truths[0] == VOID, -1, array) for array in (truths[0], answers[0]))
    found = boundary_f1(torch.from_numpy(answer), torch.from_numpy(truth), CLASSES, tolerance)
    np.testing.assert_allclose(found.numpy(), by_definition(answer, truth, CLASSES, tolerance))


def test_more_classes_than_bits_are_counted_in_turns():
    truth = torch.arange(100).reshape(10, 10).repeat_interleave(3, 0).repeat_interleave(3, 1)
    answer = truth.clone()
    answer[12:15, 12:15] = 99
    scores = boundary_f1(answer, truth, 100, 0.5)
    np.testing.assert_allclose(scores.numpy(), by_definition(answer.numpy(), truth.numpy(), 100, 0.5))


@settings(max_examples=20, deadline=None)
@given(distance=st.floats(0, 6), y=st.integers(0, 12), x=st.integers(0, 12))
@example(distance=1.9999999999999991, y=0, x=0)
def test_what_is_near_lies_in_a_disc(distance, y, x):
    bits = torch.zeros(13, 13, dtype=torch.int64)
    bits[y, x] = 5
    rows, columns = torch.meshgrid(torch.arange(13) - y, torch.arange(13) - x, indexing="ij")
    squares = (rows**2 + columns**2).double()  # of whole numbers torch would compare in float32
    assert torch.equal(near(bits, distance), torch.where(squares <= distance**2, 5, 0))


def test_void_has_no_border():
    assert not border(torch.tensor([[0, -1, 1], [0, -1, 1]])).any()
    assert border(torch.tensor([[0, 0, 1], [0, 0, 1]])).tolist() == [[False, True, True]] * 2


def test_the_tolerance_goes_by_the_diagonal():
    truth = torch.zeros(300, 400, dtype=torch.int64)
    truth[:, 200:] = 1
    for shift, expected in ((3, 1.0), (5, 0.0)):
        metrics = SegmentationMetrics(2)
        metrics.update([mask(truth.roll(shift, 1)[:, 10:390].numpy())], [mask(truth[:, 10:390].numpy())])
        assert TOLERANCE * math.hypot(300, 380) == pytest.approx(3.63, abs=0.01)
        assert metrics.compute()["boundary_f1"] == expected


def test_borders_may_be_left_out():
    truths, answers = pictures()
    figures = gathered(truths, answers, boundaries=False).compute()
    assert set(figures) == {"miou", "pixel_accuracy", "mean_accuracy"}
    whole = gathered(truths, answers).compute()
    assert {name: whole[name] for name in figures} == figures
