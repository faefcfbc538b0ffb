"""`neocog resume`."""

import pytest

from neocog.training import loop


def test_a_run_that_has_ended_is_left_as_it_is(tell, trained):
    _, run = trained
    told = tell("resume", run)
    assert told.exit_code == 0
    assert told.err == f"{run} has ended already; nothing to do\n"
    assert told.out.splitlines()[1].split() == ["run", str(run)]
    answer = tell("resume", run, "--json").answer
    assert answer["epochs"] == 2
    assert answer["metrics"]["test/accuracy"] <= 1


def test_a_training_that_was_interrupted_says_how_to_go_on_and_does(tell, photos, tmp_path, monkeypatch):
    data, run = photos(), tmp_path / "run"
    step = loop.train_step

    def interrupted(job, rows, batch_of):
        if job.state.step == 1:
            raise KeyboardInterrupt
        return step(job, rows, batch_of)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", interrupted)
        typed = ("--model", "softmax_regression", "--epochs", "2", "--speed", "exact")
        assert tell("train", data, "--out", run, *typed).exit_code == 130
    columns = (run / "metrics.csv").read_text().splitlines()[:1]
    told = tell("resume", run, "--json")
    assert told.exit_code == 0, told.err
    assert told.answer["epochs"] == 2
    assert (run / "metrics.csv").read_text().splitlines()[:1] == columns


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["nowhere"], ["neocog: expected the folder of a run", "found nowhere, which is not there", "to do: check the path"]),
        ([], ["neocog: expected the arguments of neocog resume", "found the following arguments are required: RUN", None]),
    ],
)
def test_without_a_run_there_is_nothing_to_resume(words, lines, tell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = tell("resume", *words)
    assert told.exit_code == 2
    assert told.err.splitlines()[:2] == lines[:2]
    assert lines[2] is None or told.err.splitlines()[2] == lines[2]
