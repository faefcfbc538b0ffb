"""Schedules, against torch.optim.lr_scheduler and by what all have in common."""

import dataclasses
import math

import pytest
import torch
from torch.optim import lr_scheduler

from neocog.errors import RecipeError, UsageError
from neocog.optim import SCHEDULES, learning_rate_factor

NAMES = SCHEDULES.names()


def theirs(make, total):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimizer)
    rates = []
    for _ in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def ours(name, total, **options):
    return [learning_rate_factor(name, step, total, SCHEDULES[name].Options(**options)) for step in range(total)]


def test_step_is_multi_step_and_step():
    assert ours("step", 40, drop_at=(0.5, 0.75), drop_factor=0.1) == pytest.approx(
        theirs(lambda o: lr_scheduler.MultiStepLR(o, [20, 30], 0.1), 40)
    )
    assert ours("step", 40, drop_at=(0.25, 0.5, 0.75), drop_factor=0.3) == pytest.approx(
        theirs(lambda o: lr_scheduler.StepLR(o, 10, 0.3), 40)
    )


@pytest.mark.parametrize("floor", [0.0, 0.1])
def test_cosine_is_cosine_annealing(floor):
    expected = theirs(lambda o: lr_scheduler.CosineAnnealingLR(o, 37, eta_min=floor), 37)
    assert ours("cosine", 37, cosine_floor=floor) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("rise", [0.3, 0.1, 0.5])
@pytest.mark.parametrize("total", [50, 101])
def test_one_cycle_is_one_cycle(linear, rise, total):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = lr_scheduler.OneCycleLR(
        optimizer, 1.0, total_steps=total, pct_start=rise, anneal_strategy="linear" if linear else "cos",
        div_factor=25, final_div_factor=1e4, cycle_momentum=False,
    )  # fmt: skip
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(total - 1):
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert ours("one_cycle", total, cycle_rise=rise, cycle_linear=linear) == pytest.approx(rates, abs=1e-9)


@pytest.mark.parametrize(("triangles", "peak", "up", "down"), [(1, 0.5, 20, 20), (2, 0.5, 10, 10), (2, 0.25, 5, 15)])
def test_triangular_is_cyclic(triangles, peak, up, down):
    def make(optimizer):
        return lr_scheduler.CyclicLR(optimizer, 0.1, 1.0, step_size_up=up, step_size_down=down, mode="triangular", cycle_momentum=False)

    expected = theirs(make, 40)
    assert ours("triangular", 40, triangles=triangles, triangle_peak=peak, triangle_floor=0.1) == pytest.approx(expected, abs=1e-9)


def test_triangles_may_begin_or_end_upright():
    assert ours("triangular", 4, triangle_peak=0.0) == pytest.approx([1, 0.75, 0.5, 0.25])
    assert ours("triangular", 4, triangle_peak=1.0) == pytest.approx([0, 0.25, 0.5, 0.75])


def test_inverse_time_is_one_over_time():
    expected = theirs(lambda o: lr_scheduler.LambdaLR(o, lambda step: 1 / (1 + 9 * step / 30)), 30)
    assert ours("inverse_time", 30, inverse_time_decay=9.0) == pytest.approx(expected)


def test_constant_is_constant():
    assert ours("constant", 5) == [1.0] * 5


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("total", [1, 2, 3, 10, 97])
@pytest.mark.parametrize("warmup", [0, 1, 5])
def test_factors_stay_between_zero_and_one(name, total, warmup):
    if warmup < total:
        factors = [learning_rate_factor(name, step, total, warmup=warmup) for step in range(total)]
        assert all(0 <= factor <= 1 for factor in factors)
        assert max(factors) > 0 or total == warmup + 1


@pytest.mark.parametrize("name", NAMES)
def test_after_the_warm_up_a_schedule_runs_over_what_is_left(name):
    plain = [learning_rate_factor(name, step, 20) for step in range(20)]
    warmed = [learning_rate_factor(name, step, 24, warmup=4) for step in range(24)]
    assert warmed[4:] == plain
    assert warmed[:4] == pytest.approx([plain[0] * part for part in (0.2, 0.4, 0.6, 0.8)])


def test_a_warm_up_is_linear_lr():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = lr_scheduler.LinearLR(optimizer, start_factor=0.2, total_iters=4)
    rates = []
    for _ in range(6):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert [learning_rate_factor("constant", step, 6, warmup=4) for step in range(6)] == pytest.approx(rates)


@pytest.mark.parametrize(("step", "warmup"), [(-1, 0), (10, 0), (0, 10), (0, -1)])
def test_steps_outside_of_the_training_are_a_mistake(step, warmup):
    with pytest.raises(ValueError, match=f"step {step} and warm-up {warmup} of a training of 10 steps"):
        learning_rate_factor("cosine", step, 10, warmup=warmup)


def test_an_unknown_schedule_is_refused():
    with pytest.raises(UsageError, match="did you mean cosine"):
        learning_rate_factor("cosinus", 0, 10)


def test_wrong_options_are_refused():
    with pytest.raises(RecipeError) as caught:
        SCHEDULES["step"].Options(drop_at=(0.8, 0.2))
    assert str(caught.value) == (
        "expected: drop_at to be a list of numbers from 0 to 1, the lower first\n"
        "found: (0.8, 0.2)\n"
        "to do: give drop_at a list of numbers from 0 to 1, the lower first; the default is [0.5, 0.75]"
    )


@pytest.mark.parametrize("name", NAMES)
def test_options_explain_themselves(name):
    options = SCHEDULES[name].Options
    assert options.__dataclass_params__.frozen
    assert (options.__doc__ or "").endswith(".")
    assert all(field.metadata["help"] for field in dataclasses.fields(options))


def test_no_two_schedules_share_an_option():
    names = [field.name for name in NAMES for field in dataclasses.fields(SCHEDULES[name].Options)]
    assert len(names) == len(set(names))
    assert math.isclose(learning_rate_factor("cosine", 5, 10), 0.5)
