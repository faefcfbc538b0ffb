"""The probe's choices, with trials that tell their own time: nothing here depends on the machine's speed."""

import json
import math

import pytest
import torch

from neocog.engine.plan import Plan, default_plan
from neocog.engine.probe import Choice, candidates, choose_plan, job_key, remembered_plan

PLAIN, LAST, HALF = PLANS = candidates(Plan(threads=1))
GRADIENT = torch.arange(1.0, 101.0)
ROUNDED = 1.02 * GRADIENT  # 2 % away


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class FakeTrial:
    """Steps that last as long as they are told to, with losses and gradients as told."""

    def __init__(self, clock, seconds, losses=None, gradients=None, cold=1.0):
        self.clock, self.seconds, self.cold = clock, seconds, cold
        self.losses, self.given = losses or {}, gradients or {}
        self.steps = []
        self.plan, self.rounded, self.fresh = PLAIN, False, True
        self.settings = []

    def prepare(self, plan, *, rounded=False):
        self.plan, self.rounded, self.fresh = plan, rounded, True

    def step(self):
        self.steps.append(self.plan)
        self.settings.append((torch.are_deterministic_algorithms_enabled(), torch.get_num_threads()))
        torch.rand(3)
        self.clock.now += self.seconds[self.plan] * (self.cold if self.fresh else 1)
        self.fresh = False
        loss = self.losses.get(self.plan, 2.0)
        if isinstance(loss, Exception):
            raise loss
        return torch.tensor(loss)

    def gradients(self):
        return ROUNDED if self.rounded else self.given.get(self.plan, GRADIENT)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("neocog.engine.probe.time.perf_counter", clock)
    return clock


@pytest.fixture
def memory(tmp_path, monkeypatch):
    monkeypatch.setenv("NEOCOG_CACHE", str(tmp_path))
    return tmp_path / "plans"


def seconds(plain, last, half):
    return {PLAIN: plain, LAST: last, HALF: half}


@pytest.mark.parametrize(
    ("times", "chosen"),
    [
        (seconds(1.0, 0.8, 0.5), HALF),
        (seconds(1.0, 0.5, 0.8), LAST),
        (seconds(0.5, 0.8, 1.0), PLAIN),
        (seconds(1.0, 0.98, 0.99), PLAIN),  # hardly faster: the simplest
        (seconds(1.0, 0.5, 0.49), LAST),
        (seconds(1.0, 0.99, 0.96), HALF),
    ],
)
def test_the_fastest_plan_wins_and_a_simpler_one_where_it_hardly_matters(clock, times, chosen):
    choice = choose_plan(FakeTrial(clock, times), PLANS, steps=10_000)
    assert choice.plan == chosen
    assert choice.source == "measured"
    assert choice.seconds == pytest.approx({plan.describe(): times[plan] for plan in PLANS if plan.describe() in choice.seconds})
    assert choice.cost == pytest.approx(clock.now)


def test_a_slow_plan_loses_after_two_steps(clock):
    trial = FakeTrial(clock, seconds(0.1, 0.09, 0.5))
    choice = choose_plan(trial, PLANS, steps=10_000)
    assert choice.plan == LAST
    assert choice.discarded == {HALF.describe(): "slow: 0.500 s a step"}
    assert trial.steps.count(HALF) == 2
    assert trial.steps.count(LAST) > 4


def test_a_long_step_is_not_repeated(clock):
    trial = FakeTrial(clock, seconds(2.0, 1.9, 5.0))
    choice = choose_plan(trial, PLANS, steps=10_000)
    assert choice.discarded == {HALF.describe(): "slow: 5.000 s a step"}
    assert trial.steps.count(HALF) == 1


def test_a_cold_first_step_counts_for_nothing(clock):
    choice = choose_plan(FakeTrial(clock, seconds(0.04, 0.036, 0.02), cold=20), PLANS, steps=10_000)
    assert choice.plan == HALF
    assert choice.seconds[HALF.describe()] == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("losses", "gradients", "reason"),
    [
        ({HALF: 2.1}, {}, "wrong: the loss is 5.0% away from float32's, 2.0% admitted"),
        ({HALF: math.nan}, {}, "wrong: not a number where float32 has one"),
        ({HALF: math.inf}, {}, "wrong: not a number where float32 has one"),
        ({}, {HALF: 1.1 * GRADIENT}, "wrong: the gradient is 10.0% away from float32's, 6.0% admitted"),
        ({}, {HALF: -GRADIENT}, "wrong: the gradient is 200.0% away from float32's, 6.0% admitted"),
        ({}, {HALF: GRADIENT * math.nan}, "wrong: not a number where float32 has one"),
        ({}, {HALF: GRADIENT.roll(1)}, "wrong: the gradient is 17.1% away from float32's, 6.0% admitted"),
    ],
)
def test_a_wrong_plan_loses_however_fast(clock, losses, gradients, reason):
    choice = choose_plan(FakeTrial(clock, seconds(1.0, 0.9, 0.1), losses, gradients), PLANS, steps=10_000)
    assert choice.plan == LAST
    assert choice.discarded == {HALF.describe(): reason}
    assert HALF.describe() not in choice.seconds


def test_a_gradient_as_far_off_as_rounding_explains_is_right(clock):
    choice = choose_plan(FakeTrial(clock, seconds(1.0, 0.9, 0.5), gradients={HALF: 1.05 * GRADIENT}), PLANS, steps=10_000)
    assert choice.plan == HALF


def test_a_gradient_that_rounding_hardly_moves_has_one_per_cent(clock, monkeypatch):
    monkeypatch.setattr(f"{__name__}.ROUNDED", GRADIENT)
    right = FakeTrial(clock, seconds(1.0, 0.9, 0.5), gradients={HALF: 1.009 * GRADIENT})
    assert choose_plan(right, PLANS, steps=10_000).plan == HALF
    wrong = FakeTrial(clock, seconds(1.0, 0.9, 0.5), gradients={HALF: 1.02 * GRADIENT})
    assert choose_plan(wrong, PLANS, steps=10_000).discarded == {
        HALF.describe(): "wrong: the gradient is 2.0% away from float32's, 1.0% admitted"
    }


@pytest.mark.parametrize(
    "error", [RuntimeError("no kernel\n  for this"), NotImplementedError("no kernel for this"), TypeError("no kernel for this")]
)
def test_a_plan_that_fails_loses(clock, error):
    choice = choose_plan(FakeTrial(clock, seconds(1.0, 0.9, 0.1), {HALF: error}), PLANS, steps=10_000)
    assert choice.plan == LAST
    assert choice.discarded == {HALF.describe(): "fails: no kernel for this"}


def test_where_float32_fails_the_probe_fails(clock):
    with pytest.raises(RuntimeError, match="no kernel"):
        choose_plan(FakeTrial(clock, seconds(1.0, 0.9, 0.1), {PLAIN: RuntimeError("no kernel")}), PLANS, steps=10_000)
    assert not torch.are_deterministic_algorithms_enabled()


def test_each_step_obeys_its_plan_and_all_is_as_before(clock):
    random_state, threads = torch.get_rng_state(), torch.get_num_threads()
    plans = [Plan(threads=3), Plan(layout="channels_last", threads=2)]
    trial = FakeTrial(clock, {plans[0]: 1.0, plans[1]: 0.9})
    choose_plan(trial, plans, steps=10_000)
    assert {(plan.threads, settings) for plan, settings in zip(trial.steps, trial.settings, strict=True)} == {
        (3, (True, 3)),
        (2, (True, 2)),
    }
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("steps", [0, 1, 29])
def test_a_job_of_few_steps_is_not_probed(clock, memory, steps):
    trial = FakeTrial(clock, seconds(1.0, 0.5, 0.5))
    choice = choose_plan(trial, PLANS, steps=steps, key="a job")
    assert (choice.plan, choice.source) == (PLAIN, "small job")
    assert trial.steps == []
    assert not memory.exists()


def test_a_job_that_is_over_before_the_plans_are_warm_is_not_probed(clock):
    trial = FakeTrial(clock, seconds(0.01, 0.005, 0.005), cold=100)
    choice = choose_plan(trial, PLANS, steps=1000)  # 10 s, of which a fifth would go to two cold steps of 1 s each
    assert (choice.plan, choice.source) == (PLAIN, "small job")
    assert trial.steps == [PLAIN, PLAIN]


@pytest.mark.parametrize("steps", [30, 60, 100, 1000])
def test_a_probe_costs_about_a_fifth_of_the_job_at_most(clock, steps):
    choice = choose_plan(FakeTrial(clock, seconds(1.0, 0.9, 0.8)), PLANS, steps=steps)
    assert choice.plan == HALF
    assert choice.cost <= 0.2 * steps + 6  # the round that is begun is finished


def test_one_plan_alone_needs_no_round(clock):
    trial = FakeTrial(clock, {PLAIN: 1.0})
    choice = choose_plan(trial, [PLAIN], steps=10_000)
    assert choice.plan == PLAIN
    assert len(trial.steps) <= 3


def machine_plans():
    return candidates(default_plan())


def test_a_choice_is_remembered_and_used_without_a_step(clock, memory):
    plans = machine_plans()
    times = dict(zip(plans, (1.0, 0.5, 0.9), strict=True))
    assert choose_plan(FakeTrial(clock, times), plans, steps=10_000, key="a job").plan == plans[1]
    again = FakeTrial(clock, times)
    assert choose_plan(again, plans, steps=10_000, key="a job") == Choice(plans[1], source="remembered")
    assert again.steps == []
    assert choose_plan(FakeTrial(clock, times), plans, steps=10_000, key="another job").source == "measured"
    assert choose_plan(FakeTrial(clock, times), plans, steps=10_000).source == "measured"


DAMAGES = {
    "cut short": lambda text: text[:20],
    "empty": lambda text: "",
    "of another kind": lambda text: "[]",
    "with an unknown key": lambda text: text.replace("layout", "lay-out"),
    "from another machine": lambda text: json.dumps({**json.loads(text), "machine": "another"}),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_memory_that_is_no_use_is_measured_anew(clock, memory, damage):
    plans = machine_plans()
    times = dict(zip(plans, (1.0, 0.5, 0.9), strict=True))
    choose_plan(FakeTrial(clock, times), plans, steps=10_000, key="a job")
    (file,) = memory.iterdir()
    file.write_text(DAMAGES[damage](file.read_text()))
    assert remembered_plan("a job") is None
    assert choose_plan(FakeTrial(clock, times), plans, steps=10_000, key="a job").source == "measured"
    assert remembered_plan("a job") == plans[1]


def test_a_cache_that_cannot_be_written_is_no_fault(clock, memory):
    memory.write_text("a file where the folder should be")
    plans = machine_plans()
    assert choose_plan(FakeTrial(clock, dict.fromkeys(plans, 1.0)), plans, steps=10_000, key="a job").source == "measured"
    assert remembered_plan("a job") is None


def test_a_jobs_name_follows_from_its_facts():
    assert job_key(model="a", shape=[1, 2]) == job_key(shape=[1, 2], model="a")
    assert job_key(model="a") != job_key(model="b")


def test_the_line_for_the_person():
    times = {"plain": 1.0, PLAIN.describe(): 1.0, HALF.describe(): 0.4}
    assert Choice(HALF, times, cost=5.04).describe() == (
        "plan: cpu, channels last, bfloat16, 1 thread (measured in 5.0 s: 2.5 times as fast as plain float32)"
    )
    assert Choice(PLAIN, times, cost=5.0).describe() == (
        "plan: cpu, contiguous, float32, 1 thread (measured in 5.0 s: nothing else was faster)"
    )
    assert Choice(PLAIN, source="small job").describe() == "plan: cpu, contiguous, float32, 1 thread (too few steps to measure others)"
    assert Choice(PLAIN, source="exact").describe() == "plan: cpu, contiguous, float32, 1 thread (unmeasured)"
    assert Choice(PLAIN, source="remembered").describe() == "plan: cpu, contiguous, float32, 1 thread (measured earlier)"
    assert Choice(PLAIN, source="my/plan.json").describe() == "plan: cpu, contiguous, float32, 1 thread (from my/plan.json)"
