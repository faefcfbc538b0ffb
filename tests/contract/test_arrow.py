"""One arrow for all four target kinds: drawn data → augment → batch → task → step → run → evaluate → predict → draw → objective."""

from pathlib import Path
from typing import Any

import pytest
import torch

import neocog
from contract.stand_ins import ENTRIES, TASKS_OF_THE_STAND_INS, kind_of, pick
from neocog.augment import place
from neocog.data.loader import Loader
from neocog.data.open import open_dataset
from neocog.images import encode_png
from neocog.metrics.base import Metrics
from neocog.models import MODELS
from neocog.objective import Objective
from neocog.registry import Registry
from neocog.targets import Clean, Label, Mask
from neocog.tasks import TASKS, Task

ARROWS = {
    "classify": {"model": "small_convnet", "augment": ("pad_and_crop", "flip", "rotation", "color_jitter", "mixup")},
    "detect": {"model": "detect_stand_in", "augment": ("flip", "scale", "color_jitter", "gaussian_noise")},
    "segment": {"model": "unet", "base": 4, "depth": 2, "augment": ("flip", "rotation", "cutout")},
    "denoise": {"model": "dncnn", "depth": 3, "width": 8, "patches_per_picture": 2, "augment": ("flip", "quarter_turn")},
}


@pytest.fixture(autouse=True)
def _stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the stand-ins for the length of a test; those that the package has by now stay its own."""
    for registry, members in ((TASKS, TASKS_OF_THE_STAND_INS), (MODELS, {entry.name: entry for entry in ENTRIES})):
        known: Registry[Any] = registry
        monkeypatch.setattr(known, "_members", {**members, **{name: known[name] for name in known}})


def train(task: str, out: Path, **choices: Any) -> neocog.Run:
    arrow = {**ARROWS[task], **choices}
    return neocog.train(
        "shapes",
        out=out,
        task=task,
        epochs=1,
        batch_size=8,
        image_size=(32, 32),
        count=40,
        size=(32, 32),
        progress=False,
        speed="exact",
        **arrow,
    )


def walk(task: str, folder: Path) -> dict[str, Any]:
    """Every station of the arrow for one task; what each came to."""
    run = train(task, folder / "run")
    evaluation = run.evaluate(progress=False)
    dataset = open_dataset("shapes", task=task, count=40, size=(32, 32))
    file = folder / "picture.png"
    file.write_bytes(encode_png(dataset.picture(0)))
    (answer,) = run.predict(file, save=folder / "drawn")
    assert answer.prediction is not None
    drawn = run.trained.task.draw(dataset.picture(0), answer.prediction, dataset.target(0))
    loader = Loader(dataset, None, 3) if task != "classify" else _label_loader(run, dataset)
    batch = place(loader.batch(torch.arange(4)), run.trained.task.fit(False), run.trained.preprocess.size)
    objective = run.trained.task.objective(run.trained.model, batch)
    return {
        "run": run,
        "evaluation": evaluation,
        "answer": answer,
        "drawn": drawn,
        "batch": batch,
        "objective": objective,
        "dataset": dataset,
    }


def _label_loader(run: neocog.Run, dataset: Any) -> Loader:
    from neocog.evaluation import read_material
    from neocog.progress import Silent

    return read_material(dataset, run.trained.task, run.trained.preprocess, allow_bad=False, progress=Silent()).loader


@pytest.mark.parametrize("task", ARROWS)
def test_the_arrow_holds(task: str, tmp_path: Path) -> None:
    stations = walk(task, tmp_path)
    run, evaluation, dataset = stations["run"], stations["evaluation"], stations["dataset"]
    primary = run.trained.task.metrics().primary

    assert kind_of(dataset.target(0)) == task
    assert isinstance(run.trained.task, Task)
    assert isinstance(evaluation.sums, Metrics)
    assert run.metrics.keys() >= {f"val/{primary}", f"test/{primary}"}
    assert evaluation.named_metrics()[f"test/{primary}"] == pytest.approx(run.metrics[f"test/{primary}"])
    assert {
        "recipe.toml",
        "splits.csv",
        "plan.json",
        "metrics.csv",
        "log.jsonl",
        "weights.safetensors",
        "predictions.parquet",
        "manifest.json",
    } <= {path.name for path in run.path.iterdir()}
    assert stations["drawn"].dtype == torch.uint8
    assert (tmp_path / "drawn" / "picture.png").is_file()


@pytest.mark.parametrize("task", ARROWS)
def test_answers_are_in_source_pixels(task: str, tmp_path: Path) -> None:
    stations = walk(task, tmp_path)
    answer = stations["answer"].prediction.answer
    assert kind_of(answer) == task
    if isinstance(answer, Mask):
        assert answer.classes.shape == (32, 32)
    if isinstance(answer, Clean):
        assert answer.picture.shape == (3, 32, 32)
    if isinstance(answer, Label):
        assert 0 <= answer.index < len(stations["run"].class_names)


@pytest.mark.parametrize("task", ARROWS)
def test_the_objective_answers_and_can_be_selected_from(task: str, tmp_path: Path) -> None:
    stations = walk(task, tmp_path)
    objective, batch = stations["objective"], stations["batch"]
    images = batch.images.clone().requires_grad_(True)
    assert isinstance(objective, Objective)
    assert objective.scores(images).shape[0] == 4
    for method in (objective.score, objective.loss):
        values = method(images)
        assert values.shape == (4,)
        (gradient,) = torch.autograd.grad(values.sum(), images)
        assert gradient.abs().sum() > 0
    assert objective.fooled(images).dtype == torch.bool
    rows = torch.tensor([2, 0, 2])
    torch.testing.assert_close(objective.select(rows).loss(images[rows]), objective.loss(images)[rows], rtol=1e-4, atol=1e-5)


def test_a_learner_goes_the_same_way(tmp_path: Path) -> None:
    run = train("classify", tmp_path / "run", model="mean_stand_in", augment=())
    assert run.recipe.epochs == 1
    assert run.metrics["test/accuracy"] >= 0
    rows = (run.path / "splits.csv").read_text().splitlines()
    assert int(run.trained.model.counts.sum()) == sum(",train," in row for row in rows)  # every training picture once


TASK_METHODS = ("fit", "showings", "disturb", "loss", "weight", "compare", "decode", "metrics", "objective", "draw", "geometry", "Options")


@pytest.mark.parametrize("method", TASK_METHODS)
def test_a_task_without_one_of_its_methods_fails(method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = TASKS["classify"]
    monkeypatch.delattr(kind, method)
    with pytest.raises((AttributeError, TypeError)):
        walk("classify", tmp_path)


@pytest.mark.parametrize("method", ["primary", "higher_is_better", "compute", "update"])
def test_metrics_without_one_of_their_methods_fail(method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from neocog.metrics.classification import ClassificationMetrics

    monkeypatch.delattr(ClassificationMetrics, method)
    with pytest.raises((AttributeError, TypeError)):
        walk("classify", tmp_path)


def test_every_public_method_of_a_task_is_on_the_list() -> None:
    members = {name for name in vars(Task) if not name.startswith("_")} | set(Task.__annotations__)
    assert members == {*TASK_METHODS, "class_names"}


def test_rows_of_a_batch_can_be_picked(tmp_path: Path) -> None:
    dataset = open_dataset("shapes", task="detect", count=10, size=(32, 32))
    batch = Loader(dataset, None, 3).batch(torch.arange(3))
    assert pick(batch, torch.tensor([1, 1])).targets.pictures[0] is batch.targets.pictures[1]
