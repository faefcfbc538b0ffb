"""What a task is."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from torch import Tensor

from neocog.batch import Batch, Fit
from neocog.images import Picture
from neocog.metrics.base import Metrics
from neocog.models.network import Network
from neocog.objective import Objective
from neocog.registry import Registry
from neocog.targets import Prediction, Target

__all__ = ["TASKS", "Averages", "Task"]


@runtime_checkable
class Task(Protocol):
    """One task for one list of classes.

    Args:
        options: an instance of the task's Options.
        class_names: of the network's outputs; empty where the task has no classes.

    Attributes:
        Options: frozen dataclass of what can be chosen: the [task] table of the recipe, and its flags.
        geometry: "affine", or "exact" where pixels must not be interpolated (denoising): then augmentation
            only crops at whole pixels, flips, and turns by quarters.
        showings: how often an epoch shows each training picture: more than once where it shows small parts of it.
    """

    Options: ClassVar[type]
    geometry: ClassVar[Literal["affine", "exact"]]
    class_names: tuple[str, ...]
    showings: int

    def __init__(self, options: Any, class_names: tuple[str, ...]) -> None: ...

    def fit(self, training: bool) -> Fit:
        """How a picture meets the network's input size, in training and in prediction."""
        ...

    def disturb(self, batch: Batch, seed: int, epoch: int | None) -> Batch:
        """The pictures as the network sees them, where that is not as they are: with noise for denoising.

        Args:
            batch: as augmentation, or the loader, gives it.
            seed: the recipe's.
            epoch: counted from 0; None outside of training: a picture is then disturbed in one way, whatever the
                seed and whatever is beside it.
        """
        ...

    def loss(self, model: Network, outputs: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        """The parts of the loss by name, with "total" among them.

        Args:
            model: whose `forward_train` gave the outputs.
            outputs: as float32.
            batch: in the network's input coordinates.
        """
        ...

    def weight(self, batch: Batch) -> float:
        """What the loss of a batch is the mean over: its pictures, or the sum of their weights.

        A step that passes through the network in parts weighs their losses so.
        """
        ...

    def decode(self, outputs: Tensor, batch: Batch) -> list[Prediction]:
        """The network's answers in the pixels of each source picture (`batch.to_input` leads there and back)."""
        ...

    def compare(self, metrics: Metrics[Any, Any], outputs: Tensor, batch: Batch, truth: Callable[[int], Target]) -> None:
        """Take a batch into the metrics.

        Args:
            metrics: of this task.
            outputs: the network's, as float32.
            batch: in the network's input coordinates; enough where answers are not given in source pixels.
            truth: the target of a key of the batch, in source pixels.
        """
        ...

    def metrics(self) -> Metrics[Any, Any]:
        """Fresh sums; which metric is primary, and which way is better."""
        ...

    def objective(self, model: Network, batch: Batch, targeted: int | None = None) -> Objective:
        """The question that attacks and explainers ask.

        Args:
            model: in evaluation mode.
            batch: the images' targets, where they are known.
            targeted: the class asked about; an attack wants it as the answer.
        """
        ...

    def draw(self, picture: Picture, prediction: Prediction, target: Target | None = None) -> Picture:
        """The picture with the answer on it, and the truth where it is known."""
        ...


@runtime_checkable
class Averages(Protocol):
    """What a task has beside the rest where several answers about one picture have a mean.

    Networks can then answer together, and a picture can be seen in several views: mirrored, shifted, cut out.
    A task whose answers say where something is must not have it, as views move that.
    """

    def average(self, outputs: Sequence[Tensor]) -> Tensor:
        """The mean of several answers about the same pictures, in the form of one of them.

        Args:
            outputs: as float32 on one device, all of one shape.
        """
        ...


TASKS: Registry[type[Task]] = Registry("a task", "neocog.tasks")
