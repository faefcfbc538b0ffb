"""Pick a plan by timing a few real steps of each sensible one.

A plan is discarded when its loss or its gradient is further from float32's than rounding explains, or when
its first steps are far behind. Whatever a trial changes is a copy's: the network, its gradients and
statistics, the random state and torch's settings are afterwards as before.

How far rounding may move a gradient cannot be one number for all networks: at initial weights, with batch
norm over a few pictures, bfloat16 moves lenet5's by 1 % of its length and resnet50's by all of it, and
training is none the worse. So the network is asked: a plan is right when its gradient is about as near to
float32's as float32's own is at weights rounded to bfloat16, which is the backward error that numerical
analysis asks of a sum or a product (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section
1.5). Where that is more than 1 %, bfloat16's distance is 0.9 to 1.8 times it over the architectures here.
"""

import contextlib
import dataclasses
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neocog.engine.plan import Plan, default_plan, obeying, plan_from_dict
from neocog.engine.trial import Trial
from neocog.errors import RunError, SurroundingsError
from neocog.files import make_folder, write_json
from neocog.machine import cache_folder

__all__ = ["Choice", "candidates", "choose_plan", "job_key", "remembered_plan"]

LOSS_TOLERANCE = 0.02  # relative difference to float32's loss; 0.01 is the most seen of bfloat16
ROUNDINGS = 3.0  # a gradient may be this many times as far from float32's as rounded weights move it …
LEAST_TOLERANCE = 0.01  # … or this share of its length, where rounded weights hardly move it
ROUNDS = 3
WORTH = 0.97  # a plan must need less than this share of the time to replace a simpler one
FAR_BEHIND = 1.5  # slower than the best by this factor after a warm step: not timed again
MOST_OF_THE_JOB = 0.2  # a probe may cost this share of the job: it usually saves half of it
LONG_STEP = 1.0  # seconds; in a longer step the first one's preparations do not weigh, and it is not repeated
STEPS_A_PLAN = 2  # the fewest that tell its speed: a cold and a warm one


@dataclass(frozen=True)
class Choice:
    """What a probe found.

    Attributes:
        plan: the plan to use.
        seconds: per step, for each plan that was timed, by description; the first is plain float32.
        discarded: why the others were not, by description.
        cost: seconds that the probe took.
        source: "measured", "remembered", "small job", "exact", or the file that the plan is from.
    """

    plan: Plan
    seconds: dict[str, float] = field(default_factory=dict)
    discarded: dict[str, str] = field(default_factory=dict)
    cost: float = 0.0
    source: str = "measured"

    def describe(self) -> str:
        """One line for the person."""
        known = {"remembered": "measured earlier", "small job": "too few steps to measure others", "exact": "unmeasured"}
        how = known.get(self.source, f"from {self.source}")
        if self.source == "measured":
            gain = next(iter(self.seconds.values())) / self.seconds[self.plan.describe()]
            compared = f"{gain:.1f} times as fast as plain float32" if gain > 1 else "nothing else was faster"
            how = f"measured in {self.cost:.1f} s: {compared}"
        return f"plan: {self.plan.describe()} ({how})"


@dataclass(frozen=True)
class _Answer:
    """The first steps under a plan: loss and gradient of the first, and the seconds of the first and of the next."""

    loss: Tensor
    gradient: Tensor
    cold: float
    warm: float


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
        steps: how many steps the job has. Where probing would cost more than a fifth of it, the first plan
            is taken unprobed.
        key: names the job, so that the choice is remembered on this machine; None neither asks nor remembers.
    """
    if key is not None and (plan := remembered_plan(key)) is not None:
        return Choice(plan, source="remembered")
    if len(plans) * STEPS_A_PLAN > MOST_OF_THE_JOB * steps:
        return Choice(plans[0], source="small job")
    started = time.perf_counter()
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        choice = _probe(trial, plans, steps)
    choice = dataclasses.replace(choice, cost=time.perf_counter() - started)
    if key is not None and choice.source == "measured":
        _remember(key, choice.plan)
    return choice


def _probe(trial: Trial, plans: Sequence[Plan], steps: int) -> Choice:
    started = time.perf_counter()
    plain, *others = plans
    reference = _first_steps(trial, plain)
    allowed = MOST_OF_THE_JOB * steps * reference.warm
    if len(others) * (reference.cold + reference.warm) > allowed:
        return Choice(plain, source="small job")
    tolerance = max(LEAST_TOLERANCE, ROUNDINGS * _effect_of_rounding(trial, plain, reference))
    seconds = {plain: reference.warm}
    discarded: dict[str, str] = {}
    for plan in others:
        try:
            answer = _first_steps(trial, plan)
        except (RuntimeError, TypeError) as error:  # this machine or network cannot compute so
            discarded[plan.describe()] = f"fails: {' '.join(str(error).split())[:200]}"
            continue
        reason = _disagreement(reference, answer, tolerance)
        if reason is None and answer.warm > FAR_BEHIND * min(seconds.values()):
            reason = f"slow: {answer.warm:.3f} s a step"
        if reason is None:
            seconds[plan] = answer.warm
        else:
            discarded[plan.describe()] = reason
    for _ in range(ROUNDS):
        contenders = [plan for plan, least in seconds.items() if least < FAR_BEHIND * min(seconds.values())]
        if len(contenders) == 1 or time.perf_counter() - started > allowed:
            break
        seconds |= {plan: min(seconds[plan], _another_step(trial, plan)) for plan in contenders}
    return Choice(_fastest(seconds), {plan.describe(): least for plan, least in seconds.items()}, discarded)


def _fastest(seconds: dict[Plan, float]) -> Plan:
    """The plan that needs the least time; a simpler one that needs hardly more goes before it."""
    best = next(iter(seconds))
    for plan, least in seconds.items():
        if least < WORTH * seconds[best]:
            best = plan
    return best


def _first_steps(trial: Trial, plan: Plan) -> _Answer:
    with obeying(plan):
        loss, cold = _first_step(trial, plan)
        gradient = trial.gradients()
        once = cold > LONG_STEP and not plan.compiled  # compiling is all that takes so long before a step
        return _Answer(loss, gradient, cold, cold if once else _timed(trial)[1])


def _first_step(trial: Trial, plan: Plan, *, rounded: bool = False) -> tuple[Tensor, float]:
    """Of a step from the common state: its loss and its seconds."""
    trial.prepare(plan, rounded=rounded)
    torch.manual_seed(0)  # dropout draws the same under every plan
    return _timed(trial)


def _another_step(trial: Trial, plan: Plan) -> float:
    """Seconds of one more step. What disturbs a step only lengthens it, so the least of several tells most."""
    with obeying(plan):
        trial.prepare(plan)
        return _timed(trial)[1]


def _timed(trial: Trial) -> tuple[Tensor, float]:
    started = time.perf_counter()
    loss = trial.step()
    return loss, time.perf_counter() - started


def _effect_of_rounding(trial: Trial, plan: Plan, reference: _Answer) -> float:
    """How far the gradient moves when the weights are rounded to bfloat16."""
    with obeying(plan):
        _first_step(trial, plan, rounded=True)
        return _distance(trial.gradients(), reference.gradient)


def _distance(gradient: Tensor, reference: Tensor) -> float:
    """Length of the difference, as a share of the reference's length."""
    return float((gradient - reference).norm() / reference.norm().clamp(min=1e-30))


def _disagreement(reference: _Answer, answer: _Answer, tolerance: float) -> str | None:
    """Why an answer is wrong; None if it is right."""
    if not (torch.isfinite(answer.loss).all() and torch.isfinite(answer.gradient).all()):
        return "wrong: not a number where float32 has one"
    difference = float((answer.loss - reference.loss).abs() / reference.loss.abs().clamp(min=1e-6))
    if difference > LOSS_TOLERANCE:
        return f"wrong: the loss is {difference:.1%} away from float32's, {LOSS_TOLERANCE:.1%} admitted"
    distance = _distance(answer.gradient, reference.gradient)
    if distance > tolerance:
        return f"wrong: the gradient is {distance:.1%} away from float32's, {tolerance:.1%} admitted"
    return None


def job_key(**facts: Any) -> str:
    """A name for a job under which its plan is remembered: everything that the speed depends on."""
    return hashlib.blake2b(json.dumps(facts, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()


def remembered_plan(key: str) -> Plan | None:
    """The plan that an earlier probe of the same job chose on this machine."""
    path = _memory(key)
    try:
        plan = plan_from_dict(json.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError, RecursionError, RunError):
        return None  # a missing or damaged memory is no fault: it is measured again
    return plan if plan.machine == default_plan().machine else None


def _remember(key: str, plan: Plan) -> None:
    path = _memory(key)
    with contextlib.suppress(SurroundingsError):  # a cache that cannot be written costs the next job a probe, nothing more
        make_folder(path.parent)
        write_json(path, plan.to_dict())


def _memory(key: str) -> Path:
    return cache_folder() / "plans" / f"{key}.json"
