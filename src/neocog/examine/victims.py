"""The pictures that are attacked, batch by batch as the network sees them, and how their gradients are computed."""

import copy
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neocog.attack.ascent import judge, look
from neocog.augment import place
from neocog.engine import Plan, choose_plan, prepare
from neocog.engine.probe import candidates, job_key
from neocog.errors import DataError
from neocog.evaluation import match_classes, window
from neocog.evaluation.answers import in_classes, taken_at_once
from neocog.examine.member import Asked
from neocog.examine.stress import StressRequest
from neocog.models.network import Network
from neocog.objective import Objective
from neocog.random import generator
from neocog.targets import Labels

__all__ = ["Case", "Victims", "weights_at_rest"]


class Case(NamedTuple):
    """A batch of pictures at the network's input.

    Attributes:
        keys: which pictures of the dataset.
        images: in [0, 1].
        labels: the class of each picture among the network's; None where the task has not one class a picture.
        plain: about the true answer, in float32.
        aimed: what the attacker wants, in float32; the plain one where no class is aimed at.
        fast: the same, with gradients by the plan.
        wrong: whether the network is wrong before any attack.
        victims: rows of those that the attacker has not got already.
    """

    keys: Int64[Tensor, "b"]
    images: Float[Tensor, "b c h w"]
    labels: Int64[Tensor, "b"] | None
    plain: Objective
    aimed: Objective
    fast: Objective
    wrong: Bool[Tensor, "b"]
    victims: Int64[Tensor, "v"]

    def first(self, count: int) -> "Case":
        """The case of some victims alone."""
        rows = self.victims[:count]
        labels = None if self.labels is None else self.labels[rows]
        plain, aimed, fast = (one.select(rows) for one in (self.plain, self.aimed, self.fast))
        everything = torch.arange(len(rows), device=rows.device)
        return Case(self.keys[rows.cpu()], self.images[rows], labels, plain, aimed, fast, self.wrong[rows], everything)


@runtime_checkable
class _Hastened(Protocol):
    """An objective whose gradients can be computed by a plan."""

    def computed_by(self, model: Network, plan: Plan) -> Objective: ...


class Victims:
    """Some pictures of a dataset, as cases.

    Args:
        request: how many, the class that is aimed at, and whether gradients must be exact.
        asked: the pictures to choose from. Where there are more than asked for, they are drawn at random.
        passes: how often each picture goes through the network for a gradient by the plan, about; 0 for none.

    Attributes:
        left_out: how many pictures are of the class that is aimed at, and so not attacked.
        plan: how gradients are computed; None until the first case, and where they are in plain float32.

    Raises:
        DataError: classes that the network does not know, or no picture is left.
    """

    def __init__(self, request: StressRequest, asked: Asked, passes: int) -> None:
        self._request, self._loader, self._passes = request, asked.material.loader, passes
        self.network = request.trained
        self._classes = match_classes(asked.material.dataset, self.network)
        rows = self._not_of_the_class(asked.rows)
        self.left_out = len(asked.rows) - len(rows)
        if not len(rows):
            found = f"pictures of {self.network.class_names[request.targeted or 0]} alone, the class that is aimed at"
            raise DataError("pictures of other classes", found, "aim at another class")
        if len(rows) > request.pictures:
            drawn = torch.randperm(len(rows), generator=generator(request.seed, "attacked pictures", 0))
            rows = rows[drawn[: request.pictures].sort().values]
        self.rows = rows
        self.plan: Plan | None = None
        self._fast: Network | None = None
        self._chosen = request.speed == "exact" or not passes

    def __iter__(self) -> Iterator[Case]:
        size = self.network.preprocess.size
        for rows in self.rows.split(taken_at_once(self.network.task, size)):
            yield self._case(rows)

    def hastened(self, objective: Objective) -> Objective:
        """The objective with gradients by the plan that was chosen."""
        if self._fast is None or self.plan is None or not isinstance(objective, _Hastened):
            return objective
        return objective.computed_by(self._fast, self.plan)

    def _case(self, rows: Int64[Tensor, "b"]) -> Case:
        task, model = self.network.task, self.network.model.eval()
        batch = place(in_classes(self._loader.batch(rows), self._classes), window(task.fit(training=False)), model.preprocess.size)
        batch = task.disturb(batch, 0, None).to(self.network.plan.device)
        images = batch.images
        plain = task.objective(model, batch)
        aimed = plain if self._request.targeted is None else task.objective(model, batch, self._request.targeted)
        wrong = judge(plain, images)
        victims = (~(wrong if aimed is plain else judge(aimed, images))).nonzero()[:, 0]
        labels = batch.targets.classes if isinstance(batch.targets, Labels) else None
        self._choose_once(aimed, images, victims)
        return Case(rows, images, labels, plain, aimed, self.hastened(aimed), wrong, victims)

    def _choose_once(self, objective: Objective, images: Tensor, victims: Tensor) -> None:
        """At the first pictures that are attacked, find the plan that is fastest here and near enough to float32."""
        if not self._chosen and len(victims) and isinstance(objective, _Hastened):
            self._chosen = True
            self._choose(objective.select(victims), images[victims])

    def _choose(self, objective: Objective, images: Tensor) -> None:
        model, own = self.network.model, self.network.plan
        plain = dataclasses.replace(own, layout="contiguous", precision="float32", compiled=False, micro_batch=None, world=1)
        size = model.preprocess.size
        at_once = taken_at_once(self.network.task, size)
        batches = -(-len(self.rows) // at_once)
        trial = _GradientTrial(model, objective, images)
        key = job_key(job="attack", model=self.network.name, size=size, outputs=model.num_classes, batch=at_once)
        plan = choose_plan(trial, candidates(plain), steps=self._passes * batches, key=key).plan
        if plan.precision != "float32" or plan.layout != "contiguous":
            self.plan, self._fast = plan, prepare(copy.deepcopy(model), plan).eval()
            for parameter in self._fast.parameters():
                parameter.requires_grad_(False)

    def _not_of_the_class(self, rows: Int64[Tensor, "n"]) -> Int64[Tensor, "m"]:
        """Those whose class is not the one aimed at."""
        classes = self._loader.dataset.class_indices() if self._request.targeted is not None else None
        if classes is None:
            return rows
        own = classes[rows] if self._classes is None else self._classes[classes[rows]]
        return rows[own != self._request.targeted]


class _GradientTrial:
    """See `neocog.engine.Trial`: the gradient of an attack's first step."""

    def __init__(self, model: Network, objective: Any, images: Tensor) -> None:
        self._original = self._copy = model
        self._objective, self._images = objective, images
        self._plan, self._gradient = Plan(), images

    def prepare(self, plan: Plan, *, rounded: bool = False) -> None:
        """See Trial."""
        self._plan, self._copy = plan, copy.deepcopy(self._original)
        with torch.no_grad():
            for parameter in self._copy.parameters():
                parameter.requires_grad_(False)
                parameter.copy_(parameter.bfloat16() if rounded else parameter)
        prepare(self._copy, plan).eval()

    def step(self) -> Tensor:
        """See Trial."""
        seen = look(self._objective.computed_by(self._copy, self._plan), self._images, judged=False)
        self._gradient = seen.gradient
        return seen.loss.mean().cpu()

    def gradients(self) -> Tensor:
        """See Trial."""
        return self._gradient.reshape(-1).float().cpu()


@contextmanager
def weights_at_rest(model: Network) -> Iterator[None]:
    """No gradients by the weights inside the block; afterwards each weight asks for its own as before."""
    asked = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        for parameter in asked:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in asked:
            parameter.requires_grad_(True)
