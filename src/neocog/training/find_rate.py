"""A learning rate from a short trial: the rate rises at every step, and the loss tells which was best.

L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", 2015, https://arxiv.org/abs/1506.01186,
section 3.3. The trial is a copy's; the training starts from where it would have started without it.
"""

import copy
import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.data.loader import order
from neocog.draw.line_chart import Axis, Line, line_chart
from neocog.engine import obeying, prepare
from neocog.engine.plan import default_plan
from neocog.errors import UsageError
from neocog.files import write_atomically
from neocog.images import Picture, encode_png
from neocog.models.network import Learner
from neocog.optim import OPTIMIZERS, set_learning_rate
from neocog.random import reseed
from neocog.run.folder import CURVE, CURVE_VALUES
from neocog.training.forecast import batch_loss_of, optimizer_of
from neocog.training.job import Job

__all__ = ["RateCurve", "find_rate", "keep_curve"]

LEAST, MOST = 1e-7, 10.0
STEPS = 100
SMOOTHING = 0.9  # of the losses, a moving average without bias
RUNAWAY = 4.0  # times the least loss: the trial ends
MARGIN = 10.0  # the rate taken is so many times smaller than the one with the least loss, at most
IGNORED = 5  # first steps, whose average is still of few losses


@dataclass(frozen=True)
class RateCurve:
    """What the trial found.

    Attributes:
        rates: of each step, rising.
        losses: after smoothing, at these rates.
        rate: the one to train with.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    rate: float

    def draw(self, title: str) -> Picture:
        """The loss over the rate, with the rate that was taken."""
        # What a runaway loss reaches would press all else flat.
        top = min(max(self.losses), self.losses[0] * 1.5)
        curve = Line("", list(zip(self.rates, self.losses, strict=True)))
        axes = Axis("learning rate", logarithmic=True), Axis("loss, smoothed", least=min(self.losses) * 0.95, most=top)
        return line_chart([curve], title=title, x=axes[0], y=axes[1], marks=[(self.rate, f"taken: {self.rate:.2g}")])


def find_rate(job: Job) -> RateCurve:
    """Let the rate of a copy rise from 1e-7 to 10 over 100 steps, and take the rate at which the loss fell fastest.

    Raises:
        UsageError: the network does not learn by gradient, or its optimizer steps once an epoch.
    """
    name = job.recipe.optimizer
    if isinstance(job.model, Learner) or OPTIMIZERS[name].full_batch:
        what = str(job.recipe.model) if isinstance(job.model, Learner) else name
        raise UsageError("a training by steps of gradient, for a learning rate to be found", what, "leave --find-lr away")
    plan = default_plan()
    rates: list[float] = []
    losses: list[float] = []
    average = 0.0
    job.progress.start("finding the learning rate", STEPS)
    with torch.random.fork_rng(range(torch.cuda.device_count())), obeying(plan):
        model = prepare(copy.deepcopy(job.model), plan).train()
        optimizer = optimizer_of(job, model)
        for step in range(STEPS):
            rate = LEAST * (MOST / LEAST) ** (step / (STEPS - 1))
            set_learning_rate(optimizer, rate)
            optimizer.zero_grad(set_to_none=True)
            reseed(job.recipe.seed, step)
            loss = batch_loss_of(job, model, plan, _rows(job, step))
            average = SMOOTHING * average + (1 - SMOOTHING) * float(loss.detach())
            smoothed = average / (1 - SMOOTHING ** (step + 1))
            if not math.isfinite(smoothed) or (step >= IGNORED and smoothed > RUNAWAY * min(losses)):
                break
            rates.append(rate)
            losses.append(smoothed)
            loss.backward()
            optimizer.step()
            job.progress.advance(1, f"loss {smoothed:.4f}")
    return RateCurve(tuple(rates), tuple(losses), _best(rates, losses))


def _rows(job: Job, step: int) -> Int64[Tensor, "n"]:
    """The pictures of a step, epoch after epoch as in training."""
    epoch, place = divmod(step, job.steps_per_epoch)
    return job.shown[order(len(job.shown), job.recipe.seed, epoch)].tensor_split(job.steps_per_epoch)[place]


def _best(rates: list[float], losses: list[float]) -> float:
    """Where the smoothed loss falls fastest over the logarithm of the rate, but `MARGIN` under the rate of the least loss."""
    lowest = min(range(len(losses)), key=losses.__getitem__)
    inner = range(min(IGNORED, lowest), max(lowest, 1))
    steepest = min(inner, key=lambda index: losses[index + 1] - losses[max(index - 1, 0)])
    return float(f"{min(rates[steepest], max(rates[lowest] / MARGIN, LEAST)):.2g}")


def keep_curve(curve: RateCurve, folder: Path, title: str) -> None:
    """Write learning_rate.png and learning_rate.csv."""
    write_atomically(folder / CURVE, encode_png(curve.draw(title)))
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("learning_rate", "loss"))
    rows.writerows(zip(curve.rates, curve.losses, strict=True))
    write_atomically(folder / CURVE_VALUES, text.getvalue().encode())
