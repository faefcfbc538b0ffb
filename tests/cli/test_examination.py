"""`neocog evaluate --linear-probes --shift-consistency`."""

import shutil

import pytest

from cli.folders import write_photos
from neocog.cli.frame import run_command_line
from neocog.examine.linear_probes import PICTURES

SMALL = ("--model", "small_convnet", "--width", "4", "--epochs", "1", "--speed", "exact")


@pytest.fixture(scope="module")
def _network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    data, run = write_photos(folder / "photos"), folder / "run"
    assert run_command_line(["train", str(data), "--out", str(run), *SMALL]) == 0
    return data, run


@pytest.fixture
def network(_network, tmp_path):
    """The data and the run of a small network with stages; the run is a copy that may be spoilt."""
    data, run = _network
    return data, shutil.copytree(run, tmp_path / "network")


def test_nothing_is_looked_into_unasked(tell, network):
    _, run = network
    answer = tell("evaluate", run, "--json").answer
    assert "linear_probes" not in answer
    assert "shift_consistency" not in answer


def test_the_answer_in_json(tell, network):
    _, run = network
    told = tell("evaluate", run, "--linear-probes", "10", "--shift-consistency", "2", "--json")
    assert told.exit_code == 0, told.err
    probes, shifts = told.answer["linear_probes"], told.answer["shift_consistency"]
    assert (probes["split"], probes["fitted"], probes["pictures"]) == ("test", 10, 2)
    assert [(probe["stage"], probe["features"]) for probe in probes["probes"]] == [("block1", 4), ("block2", 8), ("block3", 16)]
    assert all(0 <= probe["accuracy"] <= 1 for probe in probes["probes"])
    assert probes["files"] == [str(run / "linear_probes.json"), str(run / "linear_probes.png")]
    assert all((run / name).is_file() for name in ("linear_probes.json", "linear_probes.png", "evaluation.json"))
    assert (shifts["split"], shifts["shift"], shifts["pictures"], shifts["filled"]) == ("test", 2, 2, "reflection")
    assert shifts["interval"][0] < shifts["consistency"] <= shifts["interval"][1] or shifts["consistency"] == 0
    assert told.answer["metrics"] == tell("evaluate", run, "--json").answer["metrics"]


def test_the_answer_for_people(tell, network):
    _, run = network
    lines = tell("evaluate", run, "--linear-probes", "--shift-consistency").out.splitlines()
    assert [line for line in lines if line.startswith("shift consistency  ") and "(95 % interval " in line]
    assert "shifts             up to 2 pixels, reflection at the borders" in lines
    table = lines.index("linear probes, fitted to 16 training pictures")
    assert lines[table + 1].split() == ["after", "stage", "features", "accuracy"]
    assert [line.split()[:2] for line in lines[table + 2 : table + 5]] == [["block1", "4"], ["block2", "8"], ["block3", "16"]]
    assert lines[-1] == f"written to {run}: linear_probes.json, linear_probes.png"


def test_given_data_and_place(tell, network, tmp_path):
    data, run = network
    assert tell("evaluate", run, data, "--shift-consistency", "--json").answer["shift_consistency"]["pictures"] == 20
    answer = tell("evaluate", run, "--linear-probes", "--save", tmp_path / "kept", "--json").answer
    assert answer["linear_probes"]["files"] == [str(tmp_path / "kept" / name) for name in ("linear_probes.json", "linear_probes.png")]
    assert (tmp_path / "kept" / "evaluation.json").is_file()
    assert not (run / "linear_probes.png").exists()


def test_a_word_after_a_flag_must_be_its_number(refused, network):
    _, run = network
    expected, remedy = "a whole number above 0 after {0}, or no word", "put {0} last, or a number after it"
    for flag, word in (("--linear-probes", str(run)), ("--shift-consistency", "0")):
        refused(["evaluate", flag, word], 2, expected.format(flag), repr(word), remedy.format(flag))


def test_what_is_refused_comes_before_the_evaluation(refused, network, trained):
    data, run = network
    found = "softmax_regression, which has none"
    refused(["evaluate", trained[1], "--linear-probes"], 2, "a network with stages, for linear probes", found, "leave the probes away")
    remedy = "name the run alone: it knows what it was trained on"
    refused(["evaluate", run, data, "--linear-probes"], 2, "a train split of photos, to fit on", "no splits", remedy)
    for words in (["--with", run], ["--tta", "flip"]):
        expected = "one network, and each picture once, for --shift-consistency"
        refused(["evaluate", run, "--shift-consistency", *words], 2, expected, words[0], "leave one of them away")
    size = "a shift of 1 to 19 pixels for 20x24 images"
    refused(["evaluate", run, "--shift-consistency", "20"], 2, size, "20", "choose another")


def test_the_help_tells_how_many_pictures_are_fitted_on(tell):
    words = " ".join(tell("evaluate", "--help").out.split())
    assert f"at most so many training pictures (default {PICTURES})" in words
    assert "--shift-consistency [PIXELS]" in words
