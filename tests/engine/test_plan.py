"""Plans: to JSON and back, refused in words, and obeyed for as long as a block lasts."""

import dataclasses
import json

import pytest
import torch

from neocog.engine.plan import Plan, default_plan, obeying, plan_from_dict, read_plan
from neocog.errors import RunError
from neocog.machine import this_machine, usable_cores

REMEDY = "mend the file, or leave it out and let the program choose"
PLANS = [
    Plan(),
    Plan("cuda", "channels_last", "bfloat16", True, 7, 32, 4, "0123456789ab"),
    Plan("mps", micro_batch=1),
]


@pytest.mark.parametrize("plan", PLANS)
def test_a_plan_reads_back_as_it_was_written(tmp_path, plan):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan.to_dict()))
    assert read_plan(path) == plan


def test_keys_that_are_left_out_have_their_defaults():
    assert plan_from_dict({"layout": "channels_last"}, "a file") == Plan(layout="channels_last")


@pytest.mark.parametrize(
    ("values", "expected", "found"),
    [
        ([], "a plan: a JSON object", "a file with list"),
        (
            {"treads": 2},
            "the keys device, layout, precision, compiled, threads, micro_batch, world, machine",
            "'treads' in a file",
        ),
        ({"device": "tpu"}, "one of cpu, cuda, mps for device", "'tpu' in a file"),
        ({"layout": "nhwc"}, "one of contiguous, channels_last for layout", "'nhwc' in a file"),
        ({"precision": "float16"}, "one of float32, bfloat16 for precision", "'float16' in a file"),
        ({"threads": 0}, "a whole number above 0 for threads", "0 in a file"),
        ({"threads": True}, "a whole number above 0 for threads", "True in a file"),
        ({"threads": None}, "a whole number above 0 for threads", "None in a file"),
        ({"world": 0}, "a whole number above 0 for world", "0 in a file"),
        ({"world": None}, "a whole number above 0 for world", "None in a file"),
        ({"micro_batch": 1.5}, "a whole number above 0 for micro_batch", "1.5 in a file"),
        ({"compiled": 1}, "true or false for compiled", "1 in a file"),
    ],
)
def test_what_is_no_plan_is_refused(values, expected, found):
    with pytest.raises(RunError) as caught:
        plan_from_dict(values, "a file")
    assert str(caught.value) == f"expected: {expected}\nfound: {found}\nto do: {REMEDY}"


def test_a_file_that_is_not_there_or_no_json_is_refused(tmp_path):
    path = tmp_path / "plan.json"
    with pytest.raises(RunError) as caught:
        read_plan(path)
    assert caught.value.expected == "a plan: a JSON file as a run's plan.json"
    assert caught.value.remedy == "check the path or mend the file"
    assert "No such file" in caught.value.found
    path.write_text('{"threads": 2')
    with pytest.raises(RunError, match=r"found: .*plan.json: Expecting"):
        read_plan(path)


def test_the_words_for_a_plan():
    assert Plan(threads=2).describe() == "cpu, contiguous, float32, 2 threads"
    assert Plan("cuda", "channels_last", "bfloat16", compiled=True, micro_batch=8).describe() == (
        "cuda, channels last, bfloat16, compiled, 8 pictures at once"
    )
    assert Plan(world=2).describe() == "cpu, contiguous, float32, 1 thread, 2 processes"


def test_the_default_is_plain_float32_of_this_machine(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    machine = this_machine()
    assert default_plan() == Plan(device=machine.accelerator, threads=usable_cores(), machine=machine.fingerprint())


@pytest.mark.parametrize(("asked", "threads"), [("1", 1), ("1000", None), ("0", None), ("many", None), ("", None)])
def test_the_default_takes_no_more_threads_than_the_environment_admits(monkeypatch, asked, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert default_plan().threads == (threads or usable_cores())


def settings():
    return {
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "warns only": torch.is_deterministic_algorithms_warn_only_enabled(),
        "fills": torch.utils.deterministic.fill_uninitialized_memory,
        "benchmark": torch.backends.cudnn.benchmark,
        "tf32 of convolutions": torch.backends.cudnn.allow_tf32,
        "tf32 of products": torch.backends.cuda.matmul.allow_tf32,
    }


@pytest.fixture(params=["as torch has them", "the other way round"])
def before(request):
    """Settings of the person's, to be found again afterwards."""
    own = settings()
    if request.param == "the other way round":
        torch.set_num_threads(2)
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = not own["fills"]
        torch.backends.cudnn.benchmark = not own["benchmark"]
        torch.backends.cudnn.allow_tf32 = not own["tf32 of convolutions"]
        torch.backends.cuda.matmul.allow_tf32 = not own["tf32 of products"]
    yield settings()
    torch.set_num_threads(own["threads"])
    torch.use_deterministic_algorithms(own["deterministic"], warn_only=own["warns only"])
    torch.utils.deterministic.fill_uninitialized_memory = own["fills"]
    torch.backends.cudnn.benchmark = own["benchmark"]
    torch.backends.cudnn.allow_tf32 = own["tf32 of convolutions"]
    torch.backends.cuda.matmul.allow_tf32 = own["tf32 of products"]


def test_a_plan_is_obeyed_inside_the_block_and_forgotten_after_it(before):
    with obeying(Plan(threads=3)):
        inside = settings()
        with obeying(Plan(threads=1)):
            assert settings()["threads"] == 1
        assert settings() == inside
    assert inside == {
        "threads": 3,
        "deterministic": True,
        "warns only": False,
        "fills": False,
        "benchmark": False,
        "tf32 of convolutions": False,
        "tf32 of products": False,
    }
    assert settings() == before


def test_a_plan_is_forgotten_after_an_error_too(before):
    with pytest.raises(ZeroDivisionError), obeying(Plan(threads=3)):
        raise ZeroDivisionError
    assert settings() == before


def test_plans_can_be_told_apart_by_any_field():
    base = Plan()
    changed = [dataclasses.replace(base, **{name: value}) for name, value in PLANS[1].to_dict().items()]
    assert len({base, *changed}) == 1 + len(changed)
