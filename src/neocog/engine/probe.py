"""Pick a plan by timing a few real steps of each sensible one.

A plan is discarded when its loss or gradients leave the tolerance of float32, or when its first steps are
far behind. Whatever a trial changes is a copy's: the network, its gradients and statistics, the random
state and torch's settings are afterwards as before.
"""

import copy
import dataclasses
import hashlib
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from neocog.engine.forward import prepare
from neocog.engine.plan import Plan, default_plan, obeying, plan_from_dict
from neocog.errors import RunError
from neocog.machine import cache_folder
from neocog.models.network import Network

__all__ = ["Choice", "StepTrial", "Trial", "candidates", "choose_plan", "remembered_plan"]

LOSS_TOLERANCE = 0.02  # relative difference to float32's loss
GRADIENT_TOLERANCE = 0.15  # length of the difference to float32's gradient over that gradient's length
ROUNDS = 3
WORTH = 0.97  # a plan must need less than this share of the time to replace a simpler one
FAR_BEHIND = 1.5  # after a warm step: slower than the best by this factor is not timed again
MOST_OF_THE_JOB = 0.2  # a probe may cost this share of the job: it usually saves half of it
WARM_UP_SHARE = 4.0  # steps that a candidate is expected to cost before it is known to be fast or slow


@runtime_checkable
class Trial(Protocol):
    """One step of the real job under some plan."""

    def prepare(self, plan: Plan) -> None:
        """Get ready for steps under the plan, from the same state each time."""
        ...

    def step(self) -> tuple[Tensor, Tensor]:
        """Do a step; return the loss and the gradients (or whatever must agree) as one vector."""
        ...


class StepTrial:
    """Forward, loss and backward on a copy of the network.

    Args:
        model: left untouched.
        loss: the loss of the copy on the real batch under a plan.
    """

    def __init__(self, model: Network, loss: Callable[[Network, Plan], Tensor]) -> None:
        self._original = model
        self._loss = loss
        self._plan = default_plan()
        self._model = model

    def prepare(self, plan: Plan) -> None:
        """See Trial."""
        self._plan = plan
        self._model = prepare(copy.deepcopy(self._original), plan)
        self._model.train()

    def step(self) -> tuple[Tensor, Tensor]:
        """See Trial."""
        self._model.zero_grad(set_to_none=True)
        loss = self._loss(self._model, self._plan)
        loss.backward()
        gradients = [parameter.grad.reshape(-1).float() for parameter in self._model.parameters() if parameter.grad is not None]
        return loss.detach().cpu(), torch.cat(gradients).cpu()


@dataclass(frozen=True)
class Choice:
    """What a probe found.

    Attributes:
        plan: the plan to use.
        seconds: per step, for each plan that was timed, by description.
        discarded: why the others were not, by description.
        cost: seconds that the probe took.
        source: "measured", "remembered", "small job" or "exact".
    """

    plan: Plan
    seconds: dict[str, float] = field(default_factory=dict)
    discarded: dict[str, str] = field(default_factory=dict)
    cost: float = 0.0
    source: str = "measured"

    def describe(self) -> str:
        """One line for the person."""
        line = f"plan: {self.plan.describe()} ({self.source}"
        if self.source == "measured" and len(self.seconds) > 1:
            gain = max(self.seconds.values()) / self.seconds[self.plan.describe()]
            line += f" in {self.cost:.1f} s; {gain:.1f} times as fast as the slowest"
        return line + ")"


def candidates(base: Plan) -> list[Plan]:
    """The sensible plans of this machine, simplest first.

    bfloat16 in the contiguous layout is not among them: oneDNN reorders every tensor for it.
    """
    return [
        base,
        dataclasses.replace(base, layout="channels_last"),
        dataclasses.replace(base, layout="channels_last", precision="bfloat16"),
    ]


def choose_plan(trial: Trial, plans: Sequence[Plan], *, steps: int, key: str | None = None) -> Choice:
    """Time the plans in turn and choose.

    Args:
        trial: a step of the real job.
        plans: simplest first; the first is the measure of right and wrong (float32).
        steps: how many steps the job has. Where probing would cost more than a fifth of it, the first
            plan is taken unprobed.
        key: names the job, so that the choice is remembered on this machine; None neither asks nor remembers.
    """
    if key is not None and (plan := remembered_plan(key)) is not None:
        return Choice(plan, source="remembered")
    started = time.perf_counter()
    state = torch.get_rng_state()
    try:
        choice = _probe(trial, plans, steps)
    finally:
        torch.set_rng_state(state)
    choice = dataclasses.replace(choice, cost=time.perf_counter() - started)
    if key is not None and choice.source == "measured":
        _remember(key, choice.plan)
    return choice


def _probe(trial: Trial, plans: Sequence[Plan], steps: int) -> Choice:
    reference, seconds = _first_steps(trial, plans[0])
    if steps * seconds * MOST_OF_THE_JOB < len(plans) * WARM_UP_SHARE * seconds:
        return Choice(plans[0], source="small job")
    times: dict[Plan, list[float]] = {plans[0]: [seconds]}
    discarded: dict[str, str] = {}
    for plan in plans[1:]:
        try:
            answer, seconds = _first_steps(trial, plan)
        except (RuntimeError, TypeError) as error:  # this machine or network cannot compute so
            discarded[plan.describe()] = f"fails: {' '.join(str(error).split())[:200]}"
            continue
        if (reason := _disagreement(reference, answer)) is not None:
            discarded[plan.describe()] = reason
        elif seconds > FAR_BEHIND * min(min(measured) for measured in times.values()):
            discarded[plan.describe()] = f"{seconds:.3f} s a step"
        else:
            times[plan] = [seconds]
    for _ in range(ROUNDS if len(times) > 1 else 0):
        for plan, measured in times.items():
            with obeying(plan):
                trial.prepare(plan)
                trial.step()
                measured.append(_timed(trial)[1])
    medians = {plan: statistics.median(measured) for plan, measured in times.items()}
    best = plans[0]
    for plan, median in medians.items():
        if median < WORTH * medians[best]:
            best = plan
    return Choice(best, {plan.describe(): median for plan, median in medians.items()}, discarded)


def _first_steps(trial: Trial, plan: Plan) -> tuple[tuple[Tensor, Tensor], float]:
    """The first step's answer, from the common state, and the second step's seconds."""
    with obeying(plan):
        trial.prepare(plan)
        torch.manual_seed(0)  # dropout draws the same under every plan
        answer, first = _timed(trial)
        return answer, min(first, _timed(trial)[1])


def _timed(trial: Trial) -> tuple[tuple[Tensor, Tensor], float]:
    started = time.perf_counter()
    answer = trial.step()  # its results are on the processor: whatever an accelerator does has ended
    return answer, time.perf_counter() - started


def _disagreement(reference: tuple[Tensor, Tensor], answer: tuple[Tensor, Tensor]) -> str | None:
    """Why an answer leaves the tolerance; None if it does not."""
    (loss, gradient), (other_loss, other_gradient) = reference, answer
    if not (torch.isfinite(other_loss).all() and torch.isfinite(other_gradient).all()):
        return "not a number where float32 has one"
    difference = float((other_loss - loss).abs() / loss.abs().clamp(min=1e-6))
    if difference > LOSS_TOLERANCE:
        return f"loss is {difference:.1%} away from float32's"
    distance = float((other_gradient - gradient).norm() / gradient.norm().clamp(min=1e-12))
    if distance > GRADIENT_TOLERANCE:
        return f"gradient is {distance:.1%} away from float32's"
    return None


def job_key(**facts: Any) -> str:
    """A name for a job under which its plan is remembered: everything that the speed depends on."""
    return hashlib.blake2b(json.dumps(facts, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()


def remembered_plan(key: str) -> Plan | None:
    """The plan that an earlier probe of the same job chose on this machine."""
    path = _memory() / f"{key}.json"
    try:
        plan = plan_from_dict(json.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError, RunError):
        return None  # a missing or damaged memory is no fault: it is measured again
    return plan if plan.machine == default_plan().machine else None


def _remember(key: str, plan: Plan) -> None:
    path = _memory() / f"{key}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.part")
        partial.write_text(json.dumps(plan.to_dict(), indent=2), encoding="utf-8")
        partial.replace(path)
    except OSError:
        return  # a cache that cannot be written costs the next job a probe, nothing more


def _memory() -> Path:
    return cache_folder() / "plans"
