"""Metrics of classification, against torchmetrics, scikit-learn and SciPy."""

import pytest
import torch
from scipy import stats
from sklearn import metrics as sklearn_metrics
from torch.nn import functional
from torchmetrics.functional.classification import multiclass_accuracy, multiclass_calibration_error, multiclass_confusion_matrix

from neocog.errors import DataError
from neocog.metrics import ClassificationMetrics, Metrics, bootstrap_interval, wilson_interval
from neocog.targets import Labels


def labels(classes):
    return Labels(classes, classes, torch.ones(len(classes)))


def sample(count=400, classes=8, seed=0):
    numbers = torch.Generator().manual_seed(seed)
    known = torch.randint(0, classes, (count,), generator=numbers)
    logits = torch.randn(count, classes, generator=numbers) + 1.5 * functional.one_hot(known, classes)
    return logits, known


def gathered(logits, known, batch=64):
    metrics = ClassificationMetrics(logits.shape[1])
    for part, classes in zip(logits.split(batch), known.split(batch), strict=True):
        metrics.update(part, labels(classes))
    return metrics


def test_figures_are_torchmetrics():
    logits, known = sample()
    ours = gathered(logits, known)
    figures = ours.compute()
    assert figures["accuracy"] == pytest.approx(float(multiclass_accuracy(logits, known, 8, average="micro")))
    assert figures["accuracy_top5"] == pytest.approx(float(multiclass_accuracy(logits, known, 8, average="micro", top_k=5)))
    assert figures["calibration_error"] == pytest.approx(
        float(multiclass_calibration_error(logits.softmax(1), known, 8, n_bins=15)), abs=1e-6
    )
    assert figures["loss"] == pytest.approx(float(functional.cross_entropy(logits, known)), rel=1e-6)
    assert torch.equal(ours.confusion, multiclass_confusion_matrix(logits, known, 8))


def test_figures_are_scikit_learn_s():
    logits, known = sample()
    known[known == 6] = 2  # a class that never occurs but is answered
    answers = logits.argmax(1)
    answers[answers == 7] = 1
    logits = functional.one_hot(answers, 8).float()  # a class that is never answered
    ours = gathered(logits, known)
    precision, recall, _, pictures = sklearn_metrics.precision_recall_fscore_support(known, answers, labels=range(8), zero_division=0)
    per_class = ours.per_class()
    assert per_class.precision.tolist() == pytest.approx(precision.tolist())
    assert per_class.recall.tolist() == pytest.approx(recall.tolist())
    assert per_class.pictures.tolist() == pictures.tolist()
    assert per_class.answers.tolist() == answers.bincount(minlength=8).tolist()
    figures = ours.compute()
    assert figures["precision"] == pytest.approx(sklearn_metrics.precision_score(known, answers, average="macro", zero_division=0))
    assert figures["recall"] == pytest.approx(sklearn_metrics.recall_score(known, answers, average="macro", zero_division=0))
    assert figures["accuracy_top5"] <= 1
    assert torch.equal(ours.confusion, torch.from_numpy(sklearn_metrics.confusion_matrix(known, answers, labels=range(8))))


def test_sure_answers_have_a_bin_of_their_own_as_in_torchmetrics():
    logits = torch.tensor([[200.0, 0], [200, 0], [3, 0], [0, 200]])
    known = torch.tensor([0, 1, 0, 0])
    expected = multiclass_calibration_error(logits.softmax(1), known, 2, n_bins=15)
    assert gathered(logits, known).compute()["calibration_error"] == pytest.approx(float(expected), abs=1e-6)


def test_top5_is_left_out_up_to_five_classes():
    logits, known = sample(classes=5)
    assert set(gathered(logits, known).compute()) == {"accuracy", "precision", "recall", "calibration_error", "loss"}


@pytest.mark.parametrize("levels", [1, 2, 4])
def test_of_equal_scores_the_first_five_count(levels):
    _, known = sample()
    logits = torch.randint(0, levels, (400, 8), generator=torch.Generator().manual_seed(1)).float()
    first = [sorted(range(8), key=lambda k: -row[k])[:5] for row in logits.tolist()]  # Python's sorting is stable
    right = sum(known in best for known, best in zip(known.tolist(), first, strict=True))
    assert gathered(logits, known).compute()["accuracy_top5"] == right / 400 < 1


def test_parts_merge_into_the_whole():
    logits, known = sample()
    one, two = gathered(logits[:150], known[:150]), gathered(logits[150:], known[150:])
    one.merge(two)
    assert one.compute() == pytest.approx(gathered(logits, known).compute())


def test_sums_survive_a_checkpoint():
    logits, known = sample()
    metrics = gathered(logits[:200], known[:200])
    saved = metrics.state()
    fresh = ClassificationMetrics(8)
    fresh.load_state(saved)
    metrics.update(logits[200:], labels(known[200:]))
    fresh.update(logits[200:], labels(known[200:]))
    assert fresh.compute() == metrics.compute()
    assert all(torch.equal(fresh.state()[name], tensor) for name, tensor in metrics.state().items())
    assert not torch.equal(saved["confusion"], metrics.confusion)  # what was saved stays as it was


def test_mixed_pictures_count_by_their_first_class():
    logits, known = sample()
    metrics = ClassificationMetrics(8)
    metrics.update(logits, Labels(known, known.roll(1), torch.full((400,), 0.7)))
    assert metrics.compute() == gathered(logits, known, 400).compute()


def test_half_precision_logits_are_welcome():
    logits, known = sample()
    assert gathered(logits.bfloat16(), known).compute()["accuracy"] == pytest.approx(
        gathered(logits, known).compute()["accuracy"], abs=0.02
    )


def test_nothing_measured_is_said():
    with pytest.raises(DataError) as caught:
        ClassificationMetrics(3).compute()
    assert (
        str(caught.value)
        == "expected: at least one labelled picture to measure by\nfound: none\nto do: measure on a split that has pictures"
    )


def test_it_is_a_metric():
    metrics: Metrics[torch.Tensor, Labels] = ClassificationMetrics(3)
    assert metrics.primary in gathered(*sample()).compute()
    assert metrics.higher_is_better


@pytest.mark.parametrize(("right", "count"), [(180, 200), (7, 9), (55, 1000)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_interval_is_the_binomial_s(right, count, level):
    low, high = bootstrap_interval(right, count, level=level, draws=40_000)
    exact = stats.binom(count, right / count)
    assert low * count == pytest.approx(exact.ppf((1 - level) / 2), abs=max(1, 0.01 * count))
    assert high * count == pytest.approx(exact.ppf((1 + level) / 2), abs=max(1, 0.01 * count))


def test_the_interval_is_scipy_s_bootstrap():
    correct = torch.rand(300, generator=torch.Generator().manual_seed(0)) < 0.8
    theirs = stats.bootstrap((correct.float().numpy(),), statistics_mean, method="percentile", n_resamples=4000, rng=0).confidence_interval
    assert bootstrap_interval(int(correct.sum()), 300) == pytest.approx((theirs.low, theirs.high), abs=0.01)


def statistics_mean(values, axis):
    return values.mean(axis=axis)


def test_the_interval_is_the_same_again_and_narrow_where_all_is_right():
    assert bootstrap_interval(90, 100, seed=3) == bootstrap_interval(90, 100, seed=3)
    assert bootstrap_interval(50, 50) == (1.0, 1.0)
    with pytest.raises(DataError) as caught:
        bootstrap_interval(0, 0)
    assert (
        str(caught.value)
        == "expected: at least one answer to measure an accuracy by\nfound: none\nto do: measure on a split that has pictures"
    )


@pytest.mark.parametrize(("right", "count"), [(0, 5), (1, 1), (7, 9), (90, 100), (1799, 1800), (50, 50)])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_wilson_s_interval_is_scipy_s(right, count, level):
    theirs = stats.binomtest(right, count).proportion_ci(level, method="wilson")
    assert wilson_interval(right, count, level=level) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_wilson_s_interval_of_nothing():
    with pytest.raises(DataError) as caught:
        wilson_interval(0, 0)
    assert (
        str(caught.value) == "expected: at least one answer to measure a share by\nfound: none\nto do: measure on a split that has pictures"
    )
