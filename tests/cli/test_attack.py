"""`neocog attack`."""

import json

import numpy as np
import pytest

from cli.folders import picture, saved
from neocog.attack import ATTACKS

QUICK = ("--steps", "3")


def test_the_answer_in_json(tell, trained):
    _, run = trained
    told = tell("attack", run, "--method", "fgsm", "pgd", "--epsilon", "0", "8/255", "0.3", *QUICK, "--arrays", "--html", "--json")
    assert told.exit_code == 0, told.err
    found = told.answer["methods"]["attack"]
    assert (told.answer["run"], told.answer["model"], found["split"], found["pictures"]) == (str(run), "softmax_regression", "test", 2)
    assert [one["method"] for one in found["attacks"]] == ["fgsm", "pgd"]
    assert [row["epsilon"] for row in found["attacks"][0]["rows"]] == [8 / 255, 0.3]
    assert found["clean"]["epsilon"] == 0
    names = {
        "attack-accuracy_linf.png",
        "attack-fgsm_linf.png",
        "attack-pgd_linf.png",
        "attack.npz",
        "attack.html",
        "attack.json",
        "pictures",
    }
    assert {path.name for path in (run / "attack").iterdir()} == names
    assert set(json.loads((run / "attack" / "attack.json").read_text())["attack"]) >= {"clean", "attacks", "checks", "files"}
    assert np.load(run / "attack" / "attack.npz")["clean_wrong"].shape == (2,)
    assert tell("attack", run, "--method", "fgsm", "--json").exit_code == 0  # over what it wrote itself


def test_the_answer_for_people(tell, trained):
    data, run = trained
    told = tell("attack", run, data, "--method", "fgsm", "--epsilon", "100/255", "--pictures", "10")
    lines = told.out.splitlines()
    assert lines[0] == "softmax_regression on photos, 10 pictures"
    assert lines[1].split() == ["method", "norm", "epsilon", "accuracy", "95", "%", "interval", "read", "again", "from", "PNG"]
    assert lines[2].split()[:2] == ["clean", "0"]
    assert lines[3].split()[:3] == ["fgsm", "linf", "100/255"]
    assert "10 of 20 pictures, drawn at random; --pictures takes more" in lines
    assert f"written to {run / 'attack'}: attack-accuracy_linf.png, attack-fgsm_linf.png, attack.json" in lines


def test_files_in_place_of_data(tell, trained, tmp_path):
    _, run = trained
    file = tmp_path / "one.png"
    file.write_bytes(saved(picture(3)))
    told = tell("attack", run, file, "--method", "fgsm", "--epsilon", "0.4", "--save", tmp_path / "out", "--json")
    assert told.exit_code == 0, told.err
    found = told.answer["methods"]["attack"]
    assert (found["pictures"], found["clean"]["accuracy"]) == (1, 1.0)
    assert found["notes"] == ["the pictures have no labels: what the network says of them before the attack counts as right"]
    assert not (run / "attack").exists()


def test_towards_a_class_and_to_a_second_run(tell, trained):
    data, run = trained
    words = ("--method", "pgd", *QUICK, "--targeted", "CAT", "--transfer-to", run, "--epsilon", "0.5", "--json")
    found = tell("attack", run, data, *words).answer["methods"]["attack"]
    assert found["targeted"] == "cat"
    assert found["pictures"] == 10
    (row,) = found["attacks"][0]["rows"]
    assert row["accuracy"] == row["accuracy_transferred"]
    assert row["fooled"] == 1.0


def test_made_on_the_spot(tell, photos):
    data = photos()
    words = ("--model", "small_convnet", "--width", "4")
    told = tell("attack", data, *words, "--method", "fgsm", "--norm", "l2", "--json")  # small_convnet has an option norm too
    assert told.exit_code == 3  # random weights know none of the classes by name
    assert "classes that the network knows" in told.err


def test_a_second_kind(tell, trained):
    _, run = trained
    told = tell("attack", run, "--method", "fooling_gradient", "--json")
    assert told.exit_code == 0, told.err
    assert list(told.answer["methods"]) == ["fooling"]


def test_the_help_lists_every_method_and_the_options_of_those_that_are_named(tell):
    words = " ".join(tell("attack", "--help").out.split())
    assert all(ATTACKS[name].summary in words for name in ATTACKS)
    assert "--restarts" in words  # pgd is the default
    words = " ".join(tell("attack", "--method", "square", "--help").out.split())
    assert "--queries" in words
    assert "--restarts" not in words


@pytest.mark.parametrize(
    ("words", "exit_code", "expected", "found", "remedy"),
    [
        (("--epsilon", "x"), 2, "a number for --epsilon", "'x'", "write --epsilon and a number"),
        (("--epsilon", "8/0"), 2, "a number for --epsilon", "'8/0'", "write --epsilon and a number"),
        (
            ("--epsilon=-1",),
            2,
            "epsilon to be a list of numbers of at least 0",
            "(-1.0,)",
            "give epsilon a list of numbers of at least 0; the default is []",
        ),
        (("--targeted", "cow"), 2, "a class of softmax_regression, to aim at", "'cow'", "choose one of cat, dog"),
        (("--method", "pdg"), 2, "the name of an attack", "'pdg'", "did you mean pgd?"),
        (
            ("--method", "pgd", "corruptions"),
            2,
            "methods of one kind",
            "pgd (attack) and corruptions (corruption)",
            "ask for one kind after the other",
        ),
        (
            ("--method", "corruptions", "--epsilon", "0.1"),
            2,
            "a method that has a use for --epsilon",
            "corruptions",
            "leave --epsilon away",
        ),
        (("--method", "fgsm", "--steps", "3"), 2, "a flag of neocog attack", "'--steps'", "did you mean --epsilon or --seed or --save?"),
        (("--norm", "l3"), 2, "one of the values of --norm", "'l3'", "choose one of linf, l2"),
    ],
)
def test_what_is_refused(refused, trained, words, exit_code, expected, found, remedy):
    refused(["attack", trained[1], *words], exit_code, expected, found, remedy)


def test_one_dataset_at_a_time(refused, trained):
    data, run = trained
    remedy = "attack one after the other, named before flags with several values"
    refused(["attack", run, data, data], 2, "one dataset, or picture files", f"{data}, {data}", remedy)


def test_foreign_work_stays(refused, trained, tmp_path):
    _, run = trained
    (tmp_path / "mine" / "pictures").mkdir(parents=True)
    expected, remedy = "a folder that holds no other work than neocog attack's", "choose another place with --save"
    found = f"{tmp_path / 'mine' / 'pictures'}, which neocog attack did not write"
    refused(["attack", run, "--save", tmp_path / "mine"], 2, expected, found, remedy)
    refused(["attack", run, "--save", run], 2, expected, f"{run}, a run", remedy)


def test_an_option_that_nobody_has(trained):
    import neocog
    from neocog.errors import RecipeError

    run = neocog.open_run(trained[1])
    with pytest.raises(RecipeError) as refused:
        run.attack(method="pgd", stepz=3, progress=False)
    assert (refused.value.expected, refused.value.found, refused.value.remedy) == (
        "an option of pgd",
        "'stepz'",
        "did you mean step or steps?",
    )
