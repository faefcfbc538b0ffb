"""The task that the package does not have yet, deliberately small, to prove the interfaces: one box a picture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from neocog.batch import Batch, Fit, Preprocess
from neocog.boxes import transform
from neocog.draw.boxes import draw_boxes
from neocog.images import Picture
from neocog.metrics.base import Metrics
from neocog.models import Entry, Learner, ModelSpec, Network
from neocog.targets import Boxes, BoxLists, Clean, Cleans, Label, Labels, Mask, Masks, Prediction, Target

GREY = Preprocess(size=(32, 32), resize=(32, 32), mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))


def convolution(before: int, after: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1), nn.ReLU())


class Sums:
    """Metrics of the stand-ins: the mean of one number per picture."""

    def __init__(self, primary: str, *, higher_is_better: bool) -> None:
        self.primary, self.higher_is_better = primary, higher_is_better
        self.total, self.count = 0.0, 0

    def update(self, outputs: Any, targets: Any) -> None:
        for value in outputs:
            self.total += float(value)
            self.count += 1

    def merge(self, other: "Sums") -> None:
        self.total += other.total
        self.count += other.count

    def compute(self) -> dict[str, float]:
        return {self.primary: self.total / self.count}

    def state(self) -> dict[str, Tensor]:
        return {"sums": torch.tensor([self.total, self.count], dtype=torch.float64)}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.total, self.count = float(state["sums"][0]), int(state["sums"][1])


class DetectNetwork(Network):
    """One box a picture: x1, y1, x2, y2 as shares of the input, then a logit for each class."""

    def __init__(self, spec: ModelSpec) -> None:
        stages = {"stage1": convolution(spec.in_channels, 8, 4), "stage2": convolution(8, 16, 4)}
        head = nn.Sequential(nn.Flatten(), nn.LazyLinear(4 + spec.num_classes))
        size = spec.preprocess.size
        head[1] = nn.Linear(16 * -(-size[0] // 16) * -(-size[1] // 16), 4 + spec.num_classes)
        super().__init__(stages, head, channels=(8, 16), preprocess=spec.preprocess, num_classes=spec.num_classes)


class MeanLearner(Learner):
    """Nearest class mean of pixels: learns without a gradient; all that it knows is buffers."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__({"pixels": nn.Flatten()}, nn.Linear(1, 1), channels=(1,), preprocess=spec.preprocess, num_classes=spec.num_classes)
        self.head = nn.Identity()
        width = spec.in_channels * spec.preprocess.size[0] * spec.preprocess.size[1]
        self.register_buffer("sums", torch.zeros(spec.num_classes, width))
        self.register_buffer("counts", torch.zeros(spec.num_classes))

    def forward(self, images: Tensor) -> Tensor:
        return -torch.cdist(images.flatten(1), self.sums / self.counts.clamp(min=1)[:, None])

    def update(self, batch: Batch, generator: torch.Generator) -> dict[str, float]:
        assert isinstance(batch.targets, Labels)
        images = self.preprocess.normalise(batch.images).flatten(1)
        self.sums.index_add_(0, batch.targets.classes, images)
        self.counts.index_add_(0, batch.targets.classes, torch.ones(len(images)))
        return {"loss": float(functional.cross_entropy(self(self.preprocess.normalise(batch.images)), batch.targets.classes))}


ENTRIES = tuple(
    Entry(name=name, build=build, year=2026, paper="none", preprocess=GREY, parameters=0, tasks=(task,), min_size=16, classes=5)
    for name, build, task in (
        ("detect_stand_in", DetectNetwork, "detect"),
        ("mean_stand_in", MeanLearner, "classify"),
    )
)


@dataclass(frozen=True)
class NoOptions:
    """Nothing to choose."""


class StandIn:
    """What stand-ins have in common: every answer is one tensor, and the objective asks for its loss."""

    Options: ClassVar[type] = NoOptions
    geometry: ClassVar[Literal["affine", "exact"]] = "affine"
    showings = 1

    def __init__(self, options: Any, class_names: tuple[str, ...]) -> None:
        self.options, self.class_names = options, class_names

    def pixel_losses(self, outputs: Tensor, batch: Batch) -> Tensor:
        raise AssertionError("each stand-in has its own")

    def loss(self, model: Network, outputs: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        return {"total": self.pixel_losses(outputs["logits"], batch).mean()}

    def weight(self, batch: Batch) -> float:
        return float(len(batch))

    def disturb(self, batch: Batch, seed: int, epoch: int | None) -> Batch:
        return batch

    def objective(self, model: Network, batch: Batch, targeted: int | None = None) -> "StandInObjective":
        return StandInObjective(self, model, batch)


class StandInObjective:
    """The loss of each picture; fooled where it is above its first value."""

    def __init__(self, task: StandIn, model: Network, batch: Batch) -> None:
        self.task, self.model, self.batch = task, model, batch
        with torch.no_grad():
            self.before = self.loss(batch.images)

    def outputs(self, images: Tensor) -> Tensor:
        return self.model(self.model.preprocess.normalise(images))

    def scores(self, images: Tensor) -> Tensor:
        return self.outputs(images).flatten(1)

    def score(self, images: Tensor) -> Tensor:
        return -self.loss(images)

    def loss(self, images: Tensor) -> Tensor:
        return self.task.pixel_losses(self.outputs(images), self.batch).reshape(len(images), -1).mean(dim=1)

    def fooled(self, images: Tensor) -> Tensor:
        return self.loss(images) > self.before

    def select(self, rows: Tensor) -> "StandInObjective":
        return StandInObjective(self.task, self.model, pick(self.batch, rows))


class Detect(StandIn):
    """The largest instance of a picture; letterboxed."""

    def fit(self, training: bool) -> Fit:
        return "letterbox"

    def pixel_losses(self, outputs: Tensor, batch: Batch) -> Tensor:
        assert isinstance(batch.targets, BoxLists)
        height, width = batch.pixels.shape[-2:]
        scale = torch.tensor([width, height, width, height])
        largest = [int((boxes.corners[:, 2] - boxes.corners[:, 0]).argmax()) for boxes in batch.targets.pictures]
        corners = torch.stack([boxes.corners[i] / scale for boxes, i in zip(batch.targets.pictures, largest, strict=True)])
        classes = torch.stack([boxes.classes[i] for boxes, i in zip(batch.targets.pictures, largest, strict=True)])
        named = functional.cross_entropy(outputs[:, 4:], classes, reduction="none")
        return (outputs[:, :4] - corners).abs().mean(dim=1) + named

    def decode(self, outputs: Tensor, batch: Batch) -> list[Prediction]:
        height, width = batch.pixels.shape[-2:]
        inputs = outputs[:, :4] * torch.tensor([width, height, width, height])
        answers = []
        for corners, logits, to_input in zip(inputs, outputs[:, 4:], batch.to_input, strict=True):
            source = transform(corners[None], torch.linalg.inv(to_input))
            answers.append(Prediction(Boxes(source, logits.argmax()[None]), logits.softmax(dim=0).max()[None]))
        return answers

    def compare(self, metrics: Metrics[Any, Any], outputs: Tensor, batch: Batch, truth: Callable[[int], Target]) -> None:
        errors = []
        for prediction, key in zip(self.decode(outputs, batch), batch.keys.tolist(), strict=True):
            boxes, answer = truth(key), prediction.answer
            assert isinstance(boxes, Boxes)
            assert isinstance(answer, Boxes)
            largest = (boxes.corners[:, 2] - boxes.corners[:, 0]).argmax()
            errors.append((answer.corners[0] - boxes.corners[largest]).abs().mean())
        metrics.update(errors, None)

    def metrics(self) -> Sums:
        return Sums("corner_error", higher_is_better=False)

    def draw(self, picture: Picture, prediction: Prediction, target: Target | None = None) -> Picture:
        assert isinstance(prediction.answer, Boxes)
        return draw_boxes(picture, prediction.answer, self.class_names, prediction.scores)


TASKS_OF_THE_STAND_INS = {"detect": Detect}


def pick(batch: Batch, rows: Tensor) -> Batch:
    """Some pictures of a batch; rows may repeat."""
    targets = batch.targets
    chosen: Any = targets
    if isinstance(targets, BoxLists):
        chosen = BoxLists(tuple(targets.pictures[row] for row in rows.tolist()))
    elif isinstance(targets, Masks):
        chosen = Masks(targets.classes[rows], targets.void)
    elif isinstance(targets, Cleans):
        chosen = Cleans(targets.pixels[rows])
    elif isinstance(targets, Labels):
        chosen = Labels(targets.classes[rows], targets.others[rows], targets.share[rows])
    return Batch(batch.pixels[rows], chosen, batch.keys[rows], batch.source_sizes[rows], batch.to_input[rows])


def kind_of(target: Target) -> str:
    return {Label: "classify", Boxes: "detect", Mask: "segment", Clean: "denoise"}[type(target)]
