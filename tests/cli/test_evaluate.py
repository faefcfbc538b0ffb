"""`neocog evaluate`."""

import csv
import json

import pytest
import torch
from pyarrow import parquet

from cli.folders import picture, saved, write_photos
from neocog.metrics.classification import bootstrap_interval


def test_a_run_is_measured_on_its_own_test_split(tell, trained):
    _, run = trained
    before = json.loads((run / "manifest.json").read_text())["metrics"]
    told = tell("evaluate", run, "--json")
    assert told.exit_code == 0, told.err
    answer = told.answer
    assert answer["run"] == str(run)
    assert (answer["task"], answer["model"], answer["epochs"], answer["split"], answer["pictures"]) == (
        *("classify", "softmax_regression", 2, "test", 2),
    )
    assert answer["metrics"] == {name: value for name, value in before.items() if name.startswith("test/")}
    assert set(answer) >= {"seconds", "images_per_second", "plan"}
    rows = parquet.read_table(run / "predictions.parquet").to_pylist()
    correct = torch.tensor([row["correct"] for row in rows])
    assert answer["interval"] == list(bootstrap_interval(int(correct.sum()), len(correct)))
    assert answer["metrics"]["test/accuracy"] == float(correct.double().mean())
    assert {path.rsplit("/", 1)[1] for path in answer["files"]} >= {"predictions.parquet", "evaluation.json", "confusion_matrix.png"}


def test_another_split_and_another_folder(tell, trained, tmp_path):
    _, run = trained
    answer = tell("evaluate", run, "--split", "train", "--save", tmp_path / "kept", "--json").answer
    with (run / "splits.csv").open() as file:
        pictures = [row["picture"] for row in csv.DictReader(file) if row["split"] == "train"]
    assert answer["pictures"] == len(pictures)
    assert [row["picture"] for row in parquet.read_table(tmp_path / "kept" / "predictions.parquet").to_pylist()] == pictures
    assert all(name.startswith("train/") for name in answer["metrics"])


def test_precision_and_recall_of_each_class_are_those_of_the_predictions(tell, trained, tmp_path):
    data, run = trained
    answer = tell("evaluate", run, data, "--save", tmp_path / "kept", "--json").answer
    assert (answer["split"], answer["pictures"]) == ("all", 20)
    rows = parquet.read_table(tmp_path / "kept" / "predictions.parquet").to_pylist()
    for one in answer["classes"]:
        of, given = ([row for row in rows if row[key] == one["name"]] for key in ("target", "prediction"))
        hits = sum(row["correct"] for row in of)
        assert one["pictures"] == len(of)
        assert one["recall"] == pytest.approx(hits / len(of))
        assert one["precision"] == pytest.approx(hits / max(len(given), 1))


def test_the_answer_for_people(tell, trained):
    data, run = trained
    told = tell("evaluate", run, data)
    assert told.exit_code == 0
    lines = told.out.splitlines()
    assert lines[0].split() == ["split", "all"]
    assert lines[1].split() == ["pictures", "20"]
    assert [line for line in lines if line.startswith("accuracy") and "(95 % interval " in line]
    assert [line for line in lines if line.split()[:1] == ["dog"] and line.split()[-1] == "10"]
    assert "written to" not in told.out  # other data than the run's own leave no trace in it


def test_words_may_stand_around_the_flags(tell, trained):
    data, run = trained
    assert tell("evaluate", run, "--split", "val", "--json").answer["split"] == "val"
    assert tell("evaluate", "--json", run, data).answer["split"] == "all"


def test_a_network_made_on_the_spot(tell, trained, tmp_path):
    data, run = trained
    classes = tmp_path / "classes.txt"
    classes.write_text("cat\ndog\n")
    weights = ("--model", "softmax_regression", "--weights", run / "weights.safetensors")
    answer = tell("evaluate", *weights, data, "--classes", classes, "--json").answer
    assert answer["run"] is None
    assert answer["epochs"] is None
    assert (answer["model"], answer["split"], answer["pictures"]) == ("softmax_regression", "all", 20)
    assert answer["metrics"] == tell("evaluate", run, data, "--json").answer["metrics"]


def test_a_dataset_with_some_of_the_classes_is_matched_by_name(tell, trained, tmp_path):
    _, run = trained
    data = tmp_path / "other"
    for number in range(4):
        (data / "Dog").mkdir(parents=True, exist_ok=True)
        (data / "Dog" / f"{number}.png").write_bytes(saved(picture(200 + number)))
    answer = tell("evaluate", run, data, "--json").answer
    assert [one["pictures"] for one in answer["classes"] if one["name"] == "dog"] == [4]


@pytest.mark.parametrize(
    ("words", "exit_code", "lines"),
    [
        (["RUN", "--split", "tset"], 2, ["expected the name of a split", "found 'tset'", "to do: choose one of train, val, test"]),
        (["RUN", "DATA", "--split", "val"], 2, ["expected a split of photos", "found 'val'", "to do: leave the split out: there are none"]),
        (["RUN", "DATA", "more"], 2, ["expected at most one dataset", None, "to do: evaluate on one after the other"]),
        (["RUN", "digits"], 3, ["expected classes that the network knows (cat, dog)", "found 0, 1, 2, 3, 4, 5 in digits", None]),
        ([], 2, ["expected the folder of a run, or --model", "found neither", None]),
        (["DATA"], 3, ["expected a run: a folder with recipe.toml", None, "to do: give the folder that neocog train named at its end"]),
        (["RUN", "--weights", "w.pth"], 2, ["expected --model beside --weights", "found none", None]),
        (["RUN", "--model", "mlp"], 2, ["expected a run or --model", None, "to do: leave one of them away"]),
        (["--model", "mlp"], 2, ["expected data to evaluate on", "found none, and mlp was made on the spot", "to do: name a dataset"]),
        (["--model", "mlpp", "DATA"], 2, ["expected the name of an architecture", "found 'mlpp'", None]),
        (["--model", "mlp", "DATA", "--classes", "w.pth"], 3, ["expected a text file with one class name a line", None, None]),
    ],
)
def test_what_is_refused(words, exit_code, lines, tell, trained, tmp_path, monkeypatch):
    data, run = trained
    monkeypatch.chdir(tmp_path)
    told = tell("evaluate", *({"RUN": run, "DATA": data}.get(word, word) for word in words))
    assert told.exit_code == exit_code
    said = told.err.splitlines()[-3:]
    assert said[0] == "neocog: " + lines[0]
    assert lines[1] is None or said[1] == lines[1]
    assert lines[2] is None or said[2] == lines[2]
    assert told.out == ""


@pytest.mark.realdata
def test_folders_of_wordnet_ids_are_matched_by_their_ids(tell, real_data, tmp_path):
    names = sorted(folder.name for folder in (real_data / "imagenet-sample").iterdir() if folder.is_dir())[::110]
    for name in names:
        (tmp_path / "some" / name).mkdir(parents=True)
        for path in (real_data / "imagenet-sample" / name).iterdir():
            (tmp_path / "some" / name / path.name).write_bytes(path.read_bytes())
    weights = real_data / "weights" / "mobilenet_v2-tf2ptq-tv.pth"
    answer = tell("evaluate", "--model", "mobilenet_v2", "--weights", weights, tmp_path / "some", "--json").answer
    assert answer["pictures"] == len(names)
    assert sum(one["pictures"] for one in answer["classes"]) == len(names)
    assert all(one["name"][1:].isalpha() or " " in one["name"] or "-" in one["name"] for one in answer["classes"])


def test_a_changed_dataset_is_noticed(tell, tmp_path, trained):
    data, run = trained
    other = write_photos(tmp_path / "again", {"cat/0.png": saved(picture(77))})
    recipe = (run / "recipe.toml").read_text().replace(str(data), str(other))
    (run / "recipe.toml").write_text(recipe)
    told = tell("evaluate", run)
    assert told.exit_code == 3
    assert told.err.splitlines()[-2:] == [
        "found cat/0.png has another content",
        "to do: put the pictures back, or start a new training",
    ]
