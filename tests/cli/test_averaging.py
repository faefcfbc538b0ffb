"""`--with` and `--tta` of `neocog evaluate` and `neocog predict`."""

import shutil

import pytest

import neocog
from cli.folders import TRAINING, hashes
from neocog.cli.frame import run_command_line


@pytest.fixture(scope="module")
def _other(_trained, tmp_path_factory):
    run = tmp_path_factory.mktemp("other") / "run"
    assert run_command_line(["train", str(_trained[0]), "--out", str(run), *TRAINING, "--seed", "3"]) == 0
    return run


@pytest.fixture
def other(_other, tmp_path):
    """A second run of the same pictures, parted by another seed; a copy."""
    return shutil.copytree(_other, tmp_path / "other")


def test_an_ensemble_in_json(tell, trained, other):
    data, run = trained
    before = hashes(run)
    told = tell("evaluate", run, data, "--with", other, "--tta", "flip", "shift", "--json")
    assert told.exit_code == 0, told.err
    answer = told.answer
    assert answer["run"] == str(run)
    assert answer["views"] == ["flip", "shift"]
    assert [(member["run"], member["model"]) for member in answer["members"]] == [
        (str(run), "softmax_regression"),
        (str(other), "softmax_regression"),
    ]
    expected = neocog.open_run(run).evaluate(data, together_with=other, tta=["flip", "shift"], progress=False)
    assert answer["metrics"] == pytest.approx(expected.named_metrics())
    for member, one in zip(answer["members"], expected.members, strict=True):
        assert member["metrics"] == pytest.approx({f"all/{name}": value for name, value in one.metrics.items()})
        assert member["first_view"] == pytest.approx({f"all/{name}": value for name, value in one.first_view.items()})
    cost = answer["cost"]
    assert (cost["networks"], cost["views"]) == (2, 10)
    assert cost["seconds"] == pytest.approx(sum(member["seconds"] for member in answer["members"]))
    assert cost["ratio"] == pytest.approx(cost["seconds"] / cost["single_seconds"])
    assert answer["notes"] == [f"{other} was trained on 16 of the 20 pictures: its answers flatter"]
    assert f"note: {answer['notes'][0]}" in told.err.splitlines()
    assert hashes(run) == before


def test_an_ensemble_for_people(tell, trained, other):
    data, run = trained
    lines = tell("evaluate", run, data, "--with", other, "--tta", "crops").out.splitlines()
    (cost,) = [line for line in lines if line.startswith("cost ")]
    assert cost.split(maxsplit=1)[1].startswith("2 networks, 5 views of each picture: ")
    assert cost.endswith(" times the seconds of one network and one view")
    (heading,) = [number for number, line in enumerate(lines) if line.startswith("network ")]
    assert lines[heading].split("  ")[-1].strip() == "seconds"
    assert "accuracy, first view" in lines[heading]
    assert [line.split()[0] for line in lines[heading + 1 : heading + 3]] == [str(run), str(other)]


def test_one_network_and_one_view_are_shown_as_ever(tell, trained):
    data, run = trained
    told = tell("evaluate", run, data)
    assert "cost" not in told.out
    assert "network" not in told.out
    answer = tell("evaluate", run, data, "--json").answer
    assert (answer["views"], answer["notes"], answer["cost"]["ratio"]) == ([], [], 1)
    assert [member["metrics"] for member in answer["members"]] == [answer["metrics"]]


def test_predictions_of_several(tell, trained, other):
    data, run = trained
    file = data / "cat" / "0.png"
    told = tell("predict", run, file, "--with", other, "--tta", "flip", "--json")
    assert told.exit_code == 0, told.err
    answer = told.answer
    (expected,) = neocog.open_run(run).predict(file, together_with=[other], tta=["flip"], progress=False)
    assert answer["predictions"][0]["top_probabilities"] == pytest.approx(expected.row["top_probabilities"])
    assert [member["run"] for member in answer["members"]] == [str(run), str(other)]
    assert answer["views"] == ["flip"]
    assert (answer["cost"]["networks"], answer["cost"]["views"]) == (2, 2)
    lines = tell("predict", run, file, "--with", other, "--tta", "flip").out.splitlines()
    assert lines[-1].startswith("2 networks, 2 views of each picture: ")
    assert "views" not in tell("predict", run, file).out


def test_a_network_made_on_the_spot_may_stand_first(tell, trained, other):
    data, run = trained
    given = ("--model", "softmax_regression", "--weights", run / "weights.safetensors")
    told = tell("evaluate", *given, data, "--with", other, "--json")
    assert told.exit_code == 0, told.err
    assert [member["run"] for member in told.answer["members"]] == [None, str(other)]


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_the_help_names_every_view(tell, command):
    text = " ".join(tell(command, "--help").out.split())
    assert "--with RUN [RUN ...]" in text
    assert "--tta VIEW [VIEW ...]" in text
    assert "flip: as it is and mirrored left to right" in text


@pytest.mark.parametrize(
    ("words", "exit_code", "lines"),
    [
        (["--tta", "flop"], 2, ("the name of a view", "'flop'", "did you mean flip?")),
        (["--with", "nowhere"], 2, ("the folder of a run", "nowhere, which is not there", "check the path")),
        (
            ["--with"],
            2,
            ("the arguments of neocog evaluate", "argument --with: expected at least one argument", "see neocog evaluate --help"),
        ),
        (
            ["--with", "OTHER", "--save", "OTHER"],
            2,
            ("a folder for the evaluation that holds no other work", "OTHER, a run", "choose another place with --save"),
        ),
    ],
)
def test_what_is_refused(words, exit_code, lines, trained, other, refused, tmp_path, monkeypatch):
    _, run = trained
    monkeypatch.chdir(tmp_path)
    words = [str(other) if word == "OTHER" else word for word in words]
    refused(["evaluate", run, *words], exit_code, *(line.replace("OTHER", str(other)) for line in lines))


def test_runs_of_other_classes_are_refused(tell, trained, tmp_path):
    _, run = trained
    digits = tmp_path / "digits"
    assert tell("train", "digits", "--out", digits, *TRAINING).exit_code == 0
    told = tell("evaluate", run, "--with", digits)
    assert told.exit_code == 2
    assert told.err.splitlines()[-3:] == [
        f"neocog: expected the classes of {run}",
        f"found {digits}, which lacks cat, dog and has besides 0, 1, 2, 3, 4, 5, …",
        "to do: average networks that know the same classes",
    ]
