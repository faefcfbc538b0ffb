"""Networks that answer together and in several views, against the mean of softmaxes that are computed one by one."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision.transforms import functional as torchvision

import neocog
from cli.folders import hashes
from contract.stand_ins import Detect
from neocog.batch import Preprocess
from neocog.data import pixels
from neocog.errors import UsageError
from neocog.evaluation import assemble, evaluate_together, read_each
from neocog.evaluation.cost import Cost, Stopwatch
from neocog.evaluation.reading import Reading
from neocog.images import cover, encode_png
from neocog.progress import Silent
from neocog.tasks.classify import Classify, ClassifyOptions

CHOICES = {"model": "softmax_regression", "epochs": 1, "progress": False, "speed": "exact"}
NAMES = tuple(map(str, range(10)))
COUNT = 40


def network(name, size, names=NAMES, *, seed=0, **options):
    """A network with random weights, large enough to tell classes apart, and images of its own kind."""
    torch.manual_seed(seed)
    run = neocog.pretrained(name, weights=None, num_classes=len(names), image_size=size, **options)
    model = run.trained.model
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape) * 0.3)
    channels = options.get("in_channels", 3)
    margin = (size[0] + 2, size[1] + 4)
    model.preprocess = Preprocess(size, margin, channels, (0.1 * seed,) * channels, (0.5,) * channels)
    return neocog.Run(replace(run.trained, class_names=names))


@pytest.fixture(scope="module")
def digits():
    return neocog.open_dataset("digits")


@pytest.fixture(scope="module")
def different():
    """Two networks that differ in architecture, size, channels, normalisation and the order of the classes."""
    return (
        network("mlp", (10, 10), in_channels=1, seed=1),
        network("softmax_regression", (12, 8), NAMES[::-1], seed=2),
    )


def canvases(run, dataset, rows):
    """What the network is shown, put together by hand."""
    preprocess = run.trained.preprocess
    pictures = [dataset.picture(int(row)).expand(preprocess.channels, -1, -1) for row in rows]
    return torch.stack([cover(picture, preprocess.resize) for picture in pictures]).float() / 255


def probabilities(run, images):
    preprocess, model = run.trained.preprocess, run.trained.model
    shape = (1, -1, 1, 1)
    normal = (images - torch.tensor(preprocess.mean).view(shape)) / torch.tensor(preprocess.std).view(shape)
    with torch.no_grad():
        found = model(normal).double().softmax(dim=1)
    return found[:, [run.class_names.index(name) for name in NAMES]]


def middle(run, images):
    return torchvision.center_crop(images, list(run.trained.preprocess.size))


def together(digits, runs, rows, views=()):
    ensemble = assemble([run.trained for run in runs], views)
    readings = [member.reading for member in ensemble.members]
    materials = read_each(digits, ensemble.first.task, readings, allow_bad=False, progress=Silent())
    return evaluate_together(ensemble, [material.loader for material in materials], rows, split="some")


def assert_is(evaluation, expected, truth):
    """The evaluation is that of the expected probabilities "n k"."""
    best = expected.sort(dim=1, descending=True)
    found = evaluation.predictions
    torch.testing.assert_close(found.probabilities.double(), best.values[:, :5], rtol=1e-4, atol=1e-6)
    assert torch.equal(found.answers, expected.argmax(1))
    assert evaluation.metrics["accuracy"] == pytest.approx((expected.argmax(1) == truth).double().mean())
    assert evaluation.metrics["loss"] == pytest.approx(float(-expected.gather(1, truth[:, None]).log().mean()), rel=1e-4)


@pytest.fixture(scope="module")
def rows():
    return torch.arange(0, 1797, 1797 // COUNT)[:COUNT]


@pytest.fixture(scope="module")
def truth(digits, rows):
    return torch.tensor([digits.target(int(row)).index for row in rows])


def test_the_answer_is_the_mean_of_the_softmaxes(digits, different, rows, truth):
    alone = [probabilities(run, middle(run, canvases(run, digits, rows))) for run in different]
    assert (alone[0].argmax(1) != alone[1].argmax(1)).any()
    evaluation = together(digits, different, rows)
    assert_is(evaluation, (alone[0] + alone[1]) / 2, truth)
    for member, one in zip(evaluation.members, alone, strict=True):
        assert member.metrics["accuracy"] == pytest.approx((one.argmax(1) == truth).double().mean())
        assert member.metrics == member.first_view
    assert [member.name for member in evaluation.members] == ["mlp", "softmax_regression"]


def test_ten_crops_are_torchvisions(digits, different, rows, truth):
    run = different[0]
    images = canvases(run, digits, rows)
    views = torchvision.ten_crop(images, list(run.trained.preprocess.size))
    expected = torch.stack([probabilities(run, view) for view in views]).mean(0)
    evaluation = together(digits, [run], rows, ["flip", "crops"])
    assert_is(evaluation, expected, truth)
    first = probabilities(run, middle(run, images))
    assert evaluation.members[0].first_view["accuracy"] == pytest.approx((first.argmax(1) == truth).double().mean())
    assert (evaluation.views, evaluation.cost.views) == (("crops", "flip"), 10)


def test_shifts_are_those_of_shifted_pictures(digits, rows, truth):
    run = network("mlp", (10, 10), in_channels=1, seed=3)
    run.trained.model.preprocess = replace(run.trained.preprocess, resize=(10, 10))
    padded = torch.nn.functional.pad(canvases(run, digits, rows), (1, 1, 1, 1), mode="reflect")
    shifted = [padded[:, :, top : top + 10, left : left + 10] for left, top in [(1, 1), (0, 1), (2, 1), (1, 0), (1, 2)]]
    expected = torch.stack([probabilities(run, images) for images in shifted]).mean(0)
    assert_is(together(digits, [run], rows, ["shift"]), expected, truth)


def test_several_networks_in_several_views(digits, different, rows, truth):
    every = []
    for run in different:
        images = middle(run, canvases(run, digits, rows))
        every += [probabilities(run, images), probabilities(run, images.flip(3))]
    evaluation = together(digits, different, rows, ["flip"])
    assert_is(evaluation, torch.stack(every).mean(0), truth)
    own = (every[2] + every[3]) / 2
    assert evaluation.members[1].metrics["loss"] == pytest.approx(float(-own.gather(1, truth[:, None]).log().mean()), rel=1e-4)
    first = every[2].argmax(1) == truth
    assert evaluation.members[1].first_view["accuracy"] == pytest.approx(first.double().mean())


def test_a_network_with_itself_is_itself(digits, different, rows):
    run = different[0]
    alone, twice = together(digits, [run], rows), together(digits, [run, run], rows)
    assert torch.equal(alone.predictions.classes, twice.predictions.classes)
    torch.testing.assert_close(alone.predictions.probabilities, twice.predictions.probabilities)
    assert twice.metrics == pytest.approx(alone.metrics, rel=1e-5)
    assert [member.metrics for member in twice.members] == [alone.metrics] * 2


def test_what_is_read_alike_is_read_once(digits, different, monkeypatch):
    read = []
    gather = pixels.gather

    def noting(dataset, **choices):
        read.append(choices["canvas"])
        return gather(dataset, **choices)

    monkeypatch.setattr("neocog.evaluation.material.gather", noting)
    same = network("mlp", (10, 10), in_channels=1, seed=4)
    together(digits, [*different, same], torch.arange(3))
    assert read == [(12, 14), (14, 12)]
    read.clear()
    together(digits, [*different, same], torch.arange(3), ["crops"])
    assert read == [(12, 14), (14, 12)]  # their own canvases have a margin


def test_the_mean_of_probabilities_that_vanish():
    """Where one network is certain, the mean is not 0 in float32."""
    task = Classify(ClassifyOptions(), ("a", "b"))
    logits = [torch.tensor([[0.0, -300.0]]), torch.tensor([[0.0, -300.0]]), torch.tensor([[-300.0, 0.0]])]
    torch.testing.assert_close(task.average(logits), torch.tensor([[2 / 3, 1 / 3]]).log())
    assert task.average(logits[:2])[0, 1] == pytest.approx(-300)


def test_a_picture_is_predicted_as_the_mean(digits, different, tmp_path):
    file = tmp_path / "7.png"
    file.write_bytes(encode_png(digits.picture(7)))
    alone = [probabilities(run, middle(run, canvases(run, digits, [7]))) for run in different]
    first, second = different
    (answer,) = answers = first.predict(file, together_with=second, progress=False)
    torch.testing.assert_close(answer.prediction.scores.double(), ((alone[0] + alone[1]) / 2)[0], rtol=1e-4, atol=1e-6)
    assert (answers.cost.networks, answers.cost.views) == (2, 1)
    images = canvases(first, digits, [7])
    views = torchvision.ten_crop(images, list(first.trained.preprocess.size))
    (answer,) = answers = first.predict(file, tta=("crops", "flip"), save=tmp_path / "drawn", progress=False)
    expected = torch.stack([probabilities(first, view) for view in views]).mean(0)[0]
    torch.testing.assert_close(answer.prediction.scores.double(), expected, rtol=1e-4, atol=1e-6)
    assert (answers.cost.networks, answers.cost.views) == (1, 10)
    assert answer.drawing is not None


def test_a_file_that_cannot_be_read_does_not_move_the_others(digits, different, tmp_path):
    (tmp_path / "0.png").write_bytes(b"no picture")
    (tmp_path / "7.png").write_bytes(encode_png(digits.picture(7)))
    first, second = different
    bad, good = first.predict(tmp_path, together_with=[second], progress=False)
    assert bad.error is not None
    (alone,) = first.predict(tmp_path / "7.png", together_with=[second], progress=False)
    torch.testing.assert_close(good.prediction.scores, alone.prediction.scores)


class TestWhatDoesNotGoTogether:
    def refused(self, *runs, views=()):
        with pytest.raises(UsageError) as caught:
            assemble([run.trained for run in runs], views)
        return str(caught.value)

    def test_other_classes_are_named(self):
        first = network("mlp", (10, 10), ("cat", "dog", "cow"))
        second = network("softmax_regression", (8, 8), ("Dog", "hen", "cat"))
        third = network("softmax_regression", (8, 8), ("cow", "dog"))
        assert self.refused(first, second) == (
            "expected: the classes of mlp\n"
            "found: softmax_regression, which lacks cow and has besides hen\n"
            "to do: average networks that know the same classes"
        )
        assert "found: softmax_regression, which lacks cat\n" in self.refused(first, third)
        assert "found: mlp, which has besides cat\n" in self.refused(third, first)

    def test_classes_match_by_their_ids_first(self):
        first, second = (network("mlp", (10, 10), names) for names in (("crane", "crane bird"), ("bird", "crane")))
        first = neocog.Run(replace(first.trained, class_ids=("n1", "n2")))
        second = neocog.Run(replace(second.trained, class_ids=("n2", "n1")))
        assert assemble([first.trained, second.trained]).members[1].outputs.tolist() == [1, 0]

    def test_other_tasks_are_named(self):
        first = network("mlp", (10, 10))
        other = neocog.Run(replace(network("softmax_regression", (8, 8)).trained, task_name="detect"))
        assert self.refused(first, other) == (
            "expected: networks of one task\nfound: mlp to classify and softmax_regression to detect\nto do: leave the others away"
        )

    def test_a_task_without_a_mean(self):
        first = network("mlp", (10, 10))
        first = neocog.Run(replace(first.trained, task=Detect(None, NAMES), task_name="detect"))
        for views, runs in (((), [first, first]), (["flip"], [first])):
            assert self.refused(*runs, views=views) == (
                "expected: a task whose answers have a mean, as classify\n"
                "found: detect, which mlp is for\n"
                "to do: ask one network, without --tta"
            )
        assert assemble([first.trained]).first is first.trained  # by itself it answers as ever


class TestCost:
    def test_it_is_held_against_the_first_network_and_its_first_view(self):
        cost = Cost.of([Stopwatch(views=5, whole=6.0, single=1.5), Stopwatch(views=5, whole=9.0, single=2.0)])
        assert cost == Cost(networks=2, views=5, seconds=15.0, single_seconds=1.5)
        assert cost.ratio == 10
        assert cost.describe() == "2 networks, 5 views of each picture: 10.0 times the seconds of one network and one view"
        assert Cost.from_dict(cost.to_dict()) == cost
        assert cost.to_dict()["ratio"] == 10

    def test_alone_and_once_it_is_one(self, digits, different):
        cost = together(digits, different[:1], torch.arange(20)).cost
        assert (cost.networks, cost.views, cost.ratio) == (1, 1, 1.0)
        assert cost.describe() == "1 network, 1 view of each picture: 1.0 times the seconds of one network and one view"

    def test_what_is_counted(self, digits, different, monkeypatch):
        """With a clock that goes on by a second whenever a network computes: ten views and two networks are twenty."""
        now, compute = [0.0], neocog.evaluation.ensemble.compute

        def slow(*given, **named):
            now[0] += 1
            return compute(*given, **named)

        monkeypatch.setattr("neocog.evaluation.ensemble.compute", slow)
        monkeypatch.setattr("neocog.evaluation.ensemble.time.perf_counter", lambda: now[0])
        evaluation = together(digits, different, torch.arange(600), ["crops", "flip"])  # two batches
        assert evaluation.cost == Cost(networks=2, views=10, seconds=40.0, single_seconds=2.0)
        assert [member.seconds for member in evaluation.members] == [20.0, 20.0]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return [neocog.train("digits", out=folder / str(seed), seed=seed, **CHOICES) for seed in (0, 1)]


class TestOfRuns:
    def test_the_runs_own_files_stay_as_they_are(self, runs):
        first, second = runs
        before = hashes(first.path)
        for choices in ({"together_with": second}, {"tta": "shift"}):
            assert first.evaluate(progress=False, **choices).files == ()
            with pytest.raises(UsageError) as caught:
                first.evaluate(progress=False, save=first.path, **choices)
            assert caught.value.found == f"{first.path}, a run"
        assert hashes(first.path) == before

    def test_what_is_saved_names_members_and_views(self, runs, tmp_path):
        first, second = runs
        evaluation = first.evaluate(together_with=[str(second.path)], tta=["flip"], save=tmp_path / "kept", progress=False)
        kept = json.loads((tmp_path / "kept" / "evaluation.json").read_text())
        assert kept["metrics"] == evaluation.named_metrics()
        assert [member["run"] for member in kept["members"]] == [str(run.path) for run in runs]
        assert kept["views"] == ["flip"]
        assert set(kept["members"][0]["metrics"]) == set(kept["metrics"])
        first.evaluate(save=tmp_path / "kept", progress=False)
        assert set(json.loads((tmp_path / "kept" / "evaluation.json").read_text())) == {"dataset", "pictures", "metrics"}

    def test_who_learnt_from_the_pictures_is_said(self, runs):
        first, second = runs
        splits = [
            {row["picture"]: row["split"] for row in csv.DictReader((run.path / "splits.csv").read_text().splitlines())} for run in runs
        ]
        test = [name for name, split in splits[0].items() if split == "test"]
        learnt = sum(splits[1][name] == "train" for name in test)
        assert learnt > 0
        note = f"{second.path} was trained on {learnt} of the {len(test)} pictures: its answers flatter"
        assert first.evaluate(together_with=second, progress=False).notes == (note,)
        assert first.evaluate(together_with=first, progress=False).notes == ()
        assert first.evaluate(progress=False).notes == ()

    def test_mirror_images_of_digits_are_not_digits(self, runs):
        assert runs[0].evaluate(tta="flip", progress=False).notes == ("mirror images of digits may mean something else",)
        assert runs[0].evaluate(tta="shift", progress=False).notes == ()

    def test_each_member_answers_as_it_does_alone(self, runs):
        first, second = runs
        evaluation = first.evaluate("digits", together_with=second, progress=False)
        for member, run in zip(evaluation.members, runs, strict=True):
            assert member.metrics == pytest.approx(run.evaluate("digits", progress=False).metrics)
            assert member.run == run.path
        assert np.isfinite(evaluation.cost.ratio)


def test_a_reading_is_what_must_be_alike():
    preprocess = Preprocess((8, 8), (10, 10), mean=(0.1,) * 3)
    assert Reading.of(preprocess) == Reading.of(replace(preprocess, size=(9, 9), mean=(0.2,) * 3))
    assert Reading.of(preprocess) == Reading.of(replace(preprocess, resize=(9, 9)), (10, 10))
    assert Reading.of(preprocess) != Reading.of(replace(preprocess, interpolation="bicubic"))
