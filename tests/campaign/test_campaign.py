"""The campaign's short form, and the proof that its harness catches what it is there for."""

import os
import time

import pytest

from campaign.case import VALUE, Outcome
from campaign.harness import campaign, table
from campaign.readers import find, names

CASES = 10  # of each reader
SEED = 1

PLANTED = {
    "planted crash": ("crash", "ZeroDivisionError: planted"),
    "planted change": ("changed", "'file'"),
    "planted removal": ("changed", "'file'"),
    "planted lie": ("wrong", "Wrong: planted"),
    "planted hang": ("hang", "in _hang"),
    "planted death": ("death", "exit code -11"),
}


def test_bad_input_has_a_named_answer(tmp_path):
    cases = [(reader, number) for number in range(CASES) for reader in names()]
    outcomes = campaign(cases, seed=SEED, folder=tmp_path)
    assert len(outcomes) == len(cases)
    faults = [f"{outcome.fault}: {outcome.reader}:{outcome.number}\n{outcome.detail}" for outcome in outcomes if outcome.fault]
    assert not faults, "\n\n".join(faults)
    assert len({outcome.answer for outcome in outcomes}) >= 5
    assert list(tmp_path.iterdir()) == []


def test_planted_faults_are_caught(tmp_path):
    started = time.monotonic()
    outcomes = campaign([(name, 7) for name in PLANTED], seed=SEED, folder=tmp_path, limit=1.0)
    assert time.monotonic() - started < 200
    found = {outcome.reader: outcome for outcome in outcomes}
    assert found.keys() == PLANTED.keys()
    for name, (fault, detail) in PLANTED.items():
        assert (found[name].number, found[name].fault) == (7, fault)
        assert detail in found[name].detail
    kept = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert kept == {f"{name.replace(' ', '-')}-7" for name in PLANTED}


@pytest.mark.parametrize("reader", ["png", "csv table", "cifar"])
def test_a_case_is_the_same_when_it_is_run_alone(tmp_path, reader):
    from campaign.case import run_case, state_of

    before = dict(os.environ)
    contents = []
    for time_ in ("first", "second"):
        run_case(find(reader), tmp_path / time_, 0, 3)
        contents.append({name: (state[0], state[3]) for name, state in state_of(tmp_path / time_ / "given").items()})
    os.environ.update(before)
    assert contents[0] == contents[1]
    assert contents[0]


def test_the_table_counts_answers_and_faults():
    outcomes = [
        Outcome("png", 0, VALUE, seconds=0.5),
        Outcome("png", 1, "PictureError", seconds=2.0),
        Outcome("gif", 0, "KeyError", "crash", "…"),
    ]
    assert table(outcomes).splitlines() == [
        "reader  cases  a value  PictureError  FAULT crash  slowest",
        "gif         1        0             0            1   0.00 s",
        "png         2        1             1            0   2.00 s",
        "all         3        1             1            1   2.00 s",
    ]
