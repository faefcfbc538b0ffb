import itertools

import pytest
import torch
from sklearn.datasets import load_digits

from neocog.batch import Batch
from neocog.errors import RecipeError
from neocog.models import create_model, describe
from neocog.models.perceptron import AT_ONCE
from neocog.targets import Labels, Masks

ALL_ALIKE = 1e12  # a delay that keeps the rate at 1


def batch_of(points, labels, others=None, share=None):
    count = len(points)
    others, share = labels if others is None else others, torch.ones(count) if share is None else share
    pixels = points.reshape(count, 1, 1, -1)
    return Batch(pixels, Labels(labels, others, share), torch.arange(count), torch.ones(count, 2).long(), torch.eye(3).repeat(count, 1, 1))


def untaught(points, classes, **options):
    """Its pixels are the points themselves: mean 0 and standard deviation 1."""
    model = create_model("perceptron", num_classes=classes, in_channels=1, image_size=(1, points.shape[1]), **options)
    object.__setattr__(model.preprocess, "mean", (0.0,))
    object.__setattr__(model.preprocess, "std", (1.0,))
    return model


def taught(points, labels, passes, size=None, **options):
    model = untaught(points, int(labels.max()) + 1, **options)
    for step in range(passes):
        order = torch.randperm(len(points), generator=torch.Generator().manual_seed(step))
        for number, rows in enumerate(order.split(size or len(points))):
            model.update(batch_of(points[rows], labels[rows]), torch.Generator().manual_seed(1000 * step + number))
    return model.eval()


def errors_of(model, points, labels):
    return int((model(points.reshape(len(points), 1, 1, -1)).argmax(1) != labels).sum())


def separable(count, classes=3, dimensions=4, margin=0.3, seed=0):
    """Points that some unit weights tell apart by a margin: the points, their classes, that margin, the largest length."""
    draws = torch.Generator().manual_seed(seed)
    weights = torch.randn(classes, dimensions + 1, generator=draws)
    weights /= weights.norm()
    points = torch.randn(50 * count, dimensions, generator=draws)
    top = (torch.cat([points, torch.ones(len(points), 1)], 1) @ weights.T).sort(dim=1, descending=True)
    gap = top.values[:, 0] - top.values[:, 1]
    kept = (gap > margin).nonzero().flatten()[:count]
    length = float((points[kept].square().sum(1) + 1).sqrt().max())
    return points[kept], top.indices[kept, 0], float(gap[kept].min()), length


def picture_by_picture(points, labels, drawn, classes, delay):
    """Rosenblatt's rule as it is written; the weights, and the number of corrections."""
    weights = torch.zeros(classes, points.shape[1] + 1, dtype=torch.float64)
    corrections = 0
    for index in drawn.tolist():
        stimulus, right = torch.cat([points[index], torch.ones(1)]).double(), int(labels[index])
        answers = weights @ stimulus
        wrong = max((unit for unit in range(classes) if unit != right), key=lambda unit: float(answers[unit]))
        if answers[wrong] >= answers[right]:
            rate = delay / (delay + corrections)
            weights[right] += rate * stimulus
            weights[wrong] -= rate * stimulus
            corrections += 1
    return weights, corrections


@pytest.mark.parametrize("delay", [1.0, 50.0, ALL_ALIKE])
def test_it_learns_as_rosenblatts_rule_says_picture_by_picture(delay):
    draws = torch.Generator().manual_seed(4)
    points, labels = torch.randn(2 * AT_ONCE + 17, 6, generator=draws), torch.randint(0, 4, (2 * AT_ONCE + 17,), generator=draws)
    model = untaught(points, 4, delay=delay)
    model.update(batch_of(points, labels), torch.Generator().manual_seed(0))
    drawn = torch.randint(len(points), (len(points),), generator=torch.Generator().manual_seed(0))
    weights, corrections = picture_by_picture(points, labels, drawn, 4, delay)
    assert int(model.head.corrections) == corrections
    torch.testing.assert_close(model.head.walking, weights.float(), atol=1e-3, rtol=1e-3)


def test_two_classes_are_one_threshold():
    points, labels, _, _ = separable(40, classes=2)
    model = taught(points, labels, 20, size=8)
    torch.testing.assert_close(model.head.walking[0], -model.head.walking[1])


@pytest.mark.parametrize("delay", [1.0, 100.0, ALL_ALIKE])
@pytest.mark.parametrize("seed", range(3))
def test_on_separable_data_corrections_end_within_the_theorems_bound(delay, seed):
    points, labels, margin, length = separable(60, seed=seed)
    model = taught(points, labels, 200, delay=delay)
    assert errors_of(model, points, labels) == 0
    corrections = int(model.head.corrections)
    rates = [delay / (delay + number) for number in range(corrections)]
    assert margin * sum(rates) <= length * (2 * sum(rate**2 for rate in rates)) ** 0.5
    if delay == ALL_ALIKE:
        assert corrections <= 2 * (length / margin) ** 2
    before = model.head.walking.clone()
    for step in range(20):
        assert model.update(batch_of(points, labels), torch.Generator().manual_seed(step)) == {"loss": 0.0}
    assert torch.equal(model.head.walking, before)


def least_errors(points, labels):
    """The fewest mistakes of any line between two classes in the plane: lines are tried through all pairs of points, a hair aside."""
    signs = labels * 2 - 1
    least = int(min((signs > 0).sum(), (signs < 0).sum()))
    for first, second in itertools.combinations(range(len(points)), 2):
        along = points[second] - points[first]
        for turn in (-1e-4, 1e-4):
            normal = torch.stack([-along[1] - turn * along[0], along[0] - turn * along[1]]).double()
            heights = points.double() @ normal
            for height in (heights.sort().values[:-1] + heights.sort().values[1:]) / 2:
                wrong = int(((heights > height) != (signs > 0)).sum())
                least = min(least, wrong, len(points) - wrong)
    return least


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 4))])
def test_on_other_data_the_pocket_comes_to_the_least_error_there_is(seed):
    draws = torch.Generator().manual_seed(seed)
    points, labels = torch.randn(14, 2, generator=draws), torch.arange(14) % 2
    least = least_errors(points, labels)
    assert least > 1
    model = taught(points, labels, 1500, delay=1.0)
    assert errors_of(model, points, labels) == least


def test_the_pocket_never_errs_more_on_a_batch_that_is_all_there_is():
    draws = torch.Generator().manual_seed(8)
    points, labels = torch.randn(60, 3, generator=draws), torch.randint(0, 3, (60,), generator=draws)
    model = untaught(points, 3)
    errors = []
    for step in range(60):
        model.update(batch_of(points, labels), torch.Generator().manual_seed(step))
        errors.append(errors_of(model, points, labels))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0]


def test_what_it_has_learnt_is_its_state():
    points, labels, _, _ = separable(40)
    whole = taught(points, labels, 3, size=16)
    again = untaught(points, 3)
    again.load_state_dict(whole.state_dict())
    for model in (whole, again):
        model.update(batch_of(points, labels), torch.Generator().manual_seed(5))
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in whole.state_dict().items())


def test_a_mixed_picture_is_of_the_class_with_the_larger_share():
    points, labels = torch.eye(2), torch.tensor([0, 0])
    model = untaught(points, 2)
    model.update(batch_of(points, labels, labels + 1, torch.tensor([0.9, 0.2])), torch.Generator().manual_seed(0))
    model.update(batch_of(points, labels, labels + 1, torch.tensor([0.9, 0.2])), torch.Generator().manual_seed(1))
    assert model(points.reshape(2, 1, 1, 2)).argmax(1).tolist() == [0, 1]


def test_parameters_and_multiply_adds_are_those_of_one_layer():
    with torch.device("meta"):
        description = describe(create_model("perceptron", num_classes=7, image_size=(5, 9)))
    assert description.parameters == 7 * (3 * 5 * 9 + 1)
    assert description.multiply_adds == 7 * 3 * 5 * 9


def test_one_class_is_never_wrong():
    model = untaught(torch.ones(3, 2), 1)
    assert model.update(batch_of(torch.ones(3, 2), torch.zeros(3).long()), torch.Generator()) == {"loss": 0.0}


def test_digits_are_learnt():
    data = load_digits()
    points, labels = torch.tensor(data.images / 16, dtype=torch.float32).flatten(1) - 0.3, torch.tensor(data.target)
    model = taught(points[:1437], labels[:1437], 10, size=32)
    assert errors_of(model, points[1437:], labels[1437:]) / 360 < 0.12
    assert errors_of(model, points[:1437], labels[:1437]) / 1437 < 0.05


def test_labels_are_needed():
    model = untaught(torch.ones(1, 2), 2)
    batch = batch_of(torch.ones(1, 2), torch.tensor([0]))
    wrong = Batch(batch.pixels, Masks(torch.zeros(1, 1, 2, dtype=torch.int64), 255), batch.keys, batch.source_sizes, batch.to_input)
    with pytest.raises(TypeError) as caught:
        model.update(wrong, torch.Generator())
    assert str(caught.value) == "expected labels to learn from, found Masks"


def test_a_delay_of_nothing_is_refused():
    with pytest.raises(RecipeError) as caught:
        create_model("perceptron", delay=0)
    assert str(caught.value) == (
        "expected: delay to be a number above 0\nfound: 0.0\nto do: give delay a number above 0; the default is 1000.0"
    )
