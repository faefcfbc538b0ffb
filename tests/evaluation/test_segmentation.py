"""What the evaluation of a segmentation keeps, writes and prints; networks that answer together; other data's classes."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from pyarrow import parquet

import neocog
from neocog.augment import place
from neocog.data.loader import Loader
from neocog.data.open import open_dataset
from neocog.errors import UsageError
from neocog.evaluation import assemble
from neocog.evaluation.views import VIEWS, see_whole
from neocog.images import decode_mask
from neocog.metrics.segmentation import SegmentationMetrics
from neocog.targets import Mask
from neocog.tasks.segment import Segment, SegmentOptions

CHOICES = {"task": "segment", "model": "unet", "base": 8, "depth": 2, "batch_size": 16, "progress": False, "speed": "exact"}
DATA = {"count": 120, "size": (32, 40)}


def train(folder, **choices):
    return neocog.train("shapes", out=folder, **{**CHOICES, **DATA, "epochs": 2, "image_size": (32, 40), **choices})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(tmp_path_factory.mktemp("segmented") / "run")


@pytest.fixture(scope="module")
def evaluation(run):
    return run.evaluate(progress=False)


def test_metrics_are_those_of_the_masks_that_were_written(run, evaluation):
    dataset = open_dataset("shapes", "segment", **DATA)
    rows = parquet.read_table(run.path / "predictions.parquet").to_pylist()
    sums = SegmentationMetrics(6)
    for row, index in zip(rows, evaluation.indices.tolist(), strict=True):
        answer = Mask(decode_mask((run.path / row["file"]).read_bytes()))
        own = SegmentationMetrics(6)
        for metrics in (sums, own):
            metrics.update([answer], [dataset.target(index)])
        assert row["picture"] == dataset.where(index)
        assert row["miou"] == pytest.approx(own.compute()["miou"])
        assert (row["height"], row["width"]) == (32, 40)
    assert sums.compute() == pytest.approx(evaluation.metrics)
    assert set(evaluation.metrics) == {"miou", "pixel_accuracy", "mean_accuracy", "boundary_f1"}


def test_the_epochs_watch_the_same_metrics_without_borders(run, tmp_path):
    row = run.trained.folder.metrics()[-1]
    assert {name for name in row if name.startswith("val/")} == {"val/miou", "val/pixel_accuracy", "val/mean_accuracy"}
    best = max(row["val/miou"] for row in run.trained.folder.metrics())
    assert run.evaluate(split="val", save=tmp_path, progress=False).metrics["miou"] == pytest.approx(best, abs=1e-6)


def test_each_class_has_its_figures(run, evaluation):
    rows = evaluation.class_rows(run.class_names)
    assert rows[0]["name"] == "background"
    assert set(rows[0]) == {"name", "iou", "accuracy", "boundary_f1", "pixels"}
    assert sum(row["pixels"] for row in rows) == len(evaluation.indices) * 32 * 40


def test_files(run, evaluation):
    assert {path.name for path in evaluation.files} == {"predictions.parquet", "evaluation.json", "worst.png"}
    with Image.open(run.path / "worst.png") as sheet:
        assert sheet.width > 600
    assert json.loads((run.path / "evaluation.json").read_text())["metrics"] == evaluation.named_metrics()


def test_masks_of_an_evaluation_with_more_pictures_do_not_stay(run, tmp_path):
    run.evaluate(split="train", save=tmp_path / "out", progress=False)
    (tmp_path / "out" / "predictions" / "mine.png").write_bytes(b"mine")
    fewer = run.evaluate(split="val", save=tmp_path / "out", progress=False)
    names = {path.name for path in (tmp_path / "out" / "predictions").iterdir()}
    assert names == {"mine.png", *(f"{number:06d}.png" for number in range(len(fewer.indices)))}


def test_a_folder_of_predictions_that_somebody_else_made_is_left_alone(run, tmp_path):
    (tmp_path / "predictions").mkdir()
    (tmp_path / "predictions" / "000000.png").write_text("mine")
    with pytest.raises(UsageError, match="which no evaluation wrote"):
        run.evaluate(save=tmp_path, progress=False)
    assert (tmp_path / "predictions" / "000000.png").read_text() == "mine"


class TestTogether:
    def test_a_mirrored_view_is_brought_back(self):
        dataset = open_dataset("shapes", "segment", count=4, size=(24, 32))
        loader = Loader(dataset, None, 3, lambda source: (15, 20))
        batch = loader.batch(torch.arange(4))
        plain = place(batch, "letterbox", (20, 20))
        first, mirrored = see_whole(batch, ["flip"], "letterbox", (20, 20))
        assert torch.equal(first.batch.pixels, plain.pixels)
        assert torch.equal(mirrored.batch.pixels, plain.pixels.flip(3))
        assert torch.equal(mirrored.moved_back(mirrored.batch.pixels.float()), plain.pixels.float())
        assert torch.equal(first.batch.to_input, plain.to_input)

    def test_the_first_view_is_the_plain_one(self, run):
        plain = run.evaluate(progress=False)
        both = run.evaluate(tta="flip", progress=False)
        assert both.members[0].first_view["miou"] == pytest.approx(plain.metrics["miou"])
        assert both.metrics["miou"] != plain.metrics["miou"]

    def test_two_networks_have_the_mean_of_their_probabilities(self, run, tmp_path):
        other = train(tmp_path / "other", epochs=1, base=4)
        found = run.evaluate(together_with=other, save=tmp_path / "both", progress=False)
        assert [member.metrics["miou"] for member in found.members] == pytest.approx(
            [run.evaluate(progress=False).metrics["miou"], found.members[1].metrics["miou"]]
        )
        dataset = open_dataset("shapes", "segment", **DATA)
        loader = Loader(dataset, None, 3, lambda source: source)
        for number, index in enumerate(found.indices[:3].tolist()):
            batch = loader.batch(torch.tensor([index]))
            mean = sum(one.trained.model(one.trained.preprocess.normalise(batch.images)).softmax(1).detach() for one in (run, other))
            answer = decode_mask((tmp_path / "both" / "predictions" / f"{number:06d}.png").read_bytes())
            assert (answer.int() == mean[0].argmax(0)).float().mean() > 0.999

    def test_networks_for_other_scales_are_refused(self, run):
        trained = run.trained
        found = str(trained.preprocess.size[0]), str(trained.preprocess.size[1])
        model = copy.copy(trained.model)
        model.preprocess = replace(trained.preprocess, size=(16, 16), resize=(16, 16))
        for other, words in (
            (replace(trained, model=model), "at 16x16"),
            (replace(trained, task=Segment(SegmentOptions(fit="crop"), trained.class_names)), "at their own scale"),
        ):
            with pytest.raises(UsageError) as caught:
                assemble([trained, other])
            assert caught.value.expected == "networks for pictures at one scale"
            assert caught.value.found == f"{run.path} at {'x'.join(found)} and {run.path} {words}"

    @pytest.mark.parametrize("view", [name for name in VIEWS if not VIEWS[name].whole])
    def test_views_of_a_part_are_refused(self, run, view):
        with pytest.raises(UsageError) as caught:
            run.evaluate(tta=[view], progress=False)
        assert str(caught.value) == (
            "expected: views of the whole picture (flip, quarter_turn), as the answer has a place in it\n"
            f"found: {view}\nto do: leave it away"
        )


def test_classes_of_other_data_are_found_by_their_names(run, tmp_path):
    dataset = open_dataset("shapes", "segment", count=6, size=(32, 40))
    order = [3, 0, 5]  # of the network's classes, as the other data number them
    for index in range(6):
        for kind in ("images", "masks"):
            (tmp_path / "other" / kind).mkdir(parents=True, exist_ok=True)
        Image.fromarray(dataset.picture(index).permute(1, 2, 0).numpy()).save(tmp_path / "other" / "images" / f"{index}.png")
        own = dataset.target(index).classes.numpy().astype(int)
        numbers = np.full(own.shape, 3, dtype=np.uint8)  # void
        for number, index_of_class in enumerate(order):
            numbers[own == index_of_class] = number
        Image.fromarray(numbers).save(tmp_path / "other" / "masks" / f"{index}.png")
    names = [run.class_names[index] for index in order]
    (tmp_path / "other" / "classes.txt").write_text("\n".join([*names, "void"]))
    found = run.evaluate(tmp_path / "other", split=None, save=tmp_path / "saved", progress=False)
    rows = {row["name"]: row["pixels"] for row in found.class_rows(run.class_names)}
    counts = {name: sum(int((dataset.target(i).classes.int() == order[k]).sum()) for i in range(6)) for k, name in enumerate(names)}
    assert {name: rows[name] for name in names if counts[name]} == {name: count for name, count in counts.items() if count}
    assert (tmp_path / "saved" / "worst.png").is_file()
