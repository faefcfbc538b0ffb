"""How a training is computed: by the plan that the run has, that the recipe names, or that is measured to be fastest."""

from dataclasses import replace
from pathlib import Path

from torch import Tensor

from neocog._version import __version__
from neocog.engine import Plan, choose_plan, forward_train
from neocog.engine.plan import default_plan, read_plan
from neocog.engine.probe import Choice, candidates, job_key
from neocog.engine.trial import StepTrial
from neocog.errors import UsageError
from neocog.models.network import Learner, Network
from neocog.training.batches import training_batch
from neocog.training.forecast import forecast, largest_micro_batch
from neocog.training.job import Job
from neocog.training.memory import halved, is_out_of_memory
from neocog.training.together import require_world

__all__ = ["plan_and_forecast"]


def plan_and_forecast(job: Job) -> Plan:
    """The plan, once it was said what to expect of it."""
    plan = _plan(job)
    expected = forecast(job, plan)
    if expected is not None:
        job.progress.message(expected.describe())
        job.folder.log("forecast", step=job.state.step, seconds=expected.seconds, memory=expected.memory)
    return plan


def _plan(job: Job) -> Plan:
    """The run's plan; where it has none, the recipe's, or the fastest that is right."""
    plan = job.folder.plan()
    here = default_plan()
    if plan is None and job.state.step:
        job.progress.message("plan.json is missing: a plan is chosen anew, and what follows may differ in its last bits")
    if plan is not None and plan.machine != here.machine:
        job.progress.message("the plan was made on another machine: what follows may differ in its last bits")
        job.folder.log("other machine", step=job.state.step, machine=here.machine)
    if plan is not None:
        require_world(job, plan.world)
    if plan is not None and plan.possible_here:
        return plan
    choice = _choose_within_memory(job)
    job.folder.log("plan", step=job.state.step, source=choice.source, seconds=choice.seconds, discarded=choice.discarded, cost=choice.cost)
    job.progress.message(choice.describe())
    job.folder.write_plan(choice.plan)
    return choice.plan


def _choose_within_memory(job: Job) -> Choice:
    """The choice among plans with as many pictures at once as memory allows."""
    base = replace(default_plan(), micro_batch=job.recipe.micro_batch or None, world=job.ranks.world)
    while True:
        try:
            fitting = replace(base, micro_batch=largest_micro_batch(job, base))
            if fitting != base:
                job.progress.message(f"memory is short: {fitting.micro_batch} pictures at once")
            return _choose(job, fitting)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        base = halved(base, base.micro_batch or job.pictures_at_once)


def _choose(job: Job, base: Plan) -> Choice:
    speed = job.recipe.speed
    if speed == "exact" or isinstance(job.model, Learner):
        return Choice(base, source="exact")
    if speed != "auto":
        plan = read_plan(Path(speed))
        if not plan.possible_here:
            raise UsageError(
                f"a plan for {base.device}, which is here", f"{plan.device} in {speed}", "give another plan, or leave speed at auto"
            )
        return Choice(replace(plan, world=job.ranks.world), source=speed)
    rows = job.shown[: min(job.batch_size, job.pictures_at_once, base.micro_batch or job.batch_size)]
    batch = training_batch(job, rows)
    seen = job.attacked(job.model, job.plan, batch)

    def loss(model: Network, plan: Plan) -> Tensor:
        if job.adversary is not None:  # for the time that it takes: every plan is judged on the same pictures
            job.attacked(model, plan, batch.to(plan.device))
        here = seen.to(plan.device)
        return job.task.loss(model, forward_train(model, here.images, plan), here)["total"]

    facts = {"model": job.recipe.model, "options": job.recipe.model_options, "shape": list(batch.pixels.shape), "task": job.recipe.task}
    if job.recipe.adversarial is not None:
        facts["adversarial"] = {"name": job.recipe.adversarial, **job.recipe.adversarial_options}
    key = job_key(**facts, classes=job.model.num_classes, base=base.to_dict(), version=__version__)
    return choose_plan(StepTrial(job.model, loss), candidates(base), steps=job.total_steps - job.state.step, key=key)
