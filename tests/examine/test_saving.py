"""What is written, what it replaces, and what it must not touch."""

import json

import numpy as np
import pytest
import torch

from neocog.errors import UsageError
from neocog.examine.member import Findings, Sheet
from neocog.examine.saving import save_findings
from neocog.run.folder import RECIPE

PICTURE = torch.zeros(3, 4, 4, dtype=torch.uint8)
EXPECTED, REMEDY = "a folder that holds no other work than neocog explain's", "choose another place with --save"


def found(*names, arrays=None, **facts):
    return Findings(facts, [Sheet(name, PICTURE) for name in names], arrays=arrays or {})


def save(folder, findings, **more):
    return sorted(path.name for path in save_findings(folder, findings, kind="explain", title="t", **more))


def test_everything_is_written_under_the_methods_name(tmp_path):
    numbers = np.arange(6.0).reshape(2, 3)
    written = save(
        tmp_path / "out", {"saliency": found("maps", arrays={"maps": numbers}, share=0.5), "filters": found("a", "b")}, html=True
    )
    assert written == ["explain.html", "explain.json", "filters-a.png", "filters-b.png", "saliency-maps.png", "saliency.npz"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == written
    with np.load(tmp_path / "out" / "saliency.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["maps"], numbers)
    record = json.loads((tmp_path / "out" / "explain.json").read_text())
    assert record["saliency"] == {"files": ["saliency-maps.png", "saliency.npz"], "share": 0.5}


def test_a_method_replaces_its_own_and_leaves_the_others(tmp_path):
    save(tmp_path, {"saliency": found("maps-1", "maps-2"), "filters": found("a")})
    save(tmp_path, {"saliency": found("maps")})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["explain.json", "filters-a.png", "saliency-maps.png"]
    assert set(json.loads((tmp_path / "explain.json").read_text())) == {"saliency", "filters"}


@pytest.mark.parametrize("name", ["saliency-maps.png", "saliency.npz", "explain.html"])
def test_files_of_others_are_never_replaced(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError) as error:
        save(tmp_path, {"saliency": found("maps", arrays={"maps": np.zeros(2)})}, html=True)
    assert error.value.args == (EXPECTED, f"{tmp_path / name}, which neocog explain did not write", REMEDY)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]


FOREIGN = ["mine", "[]", '{"a": 1}', '{"a": {"files": ["../b"]}}', '{"a": {"files": [".."]}}', '{"a": {"files": 3}}']


@pytest.mark.parametrize("record", FOREIGN)
def test_a_record_that_is_not_one_is_somebody_elses(tmp_path, record):
    (tmp_path / "explain.json").write_text(record)
    with pytest.raises(UsageError) as error:
        save(tmp_path, {"saliency": found("maps")})
    assert error.value.args == (EXPECTED, f"{tmp_path / 'explain.json'}, which neocog explain did not write", REMEDY)
    assert (tmp_path / "explain.json").read_text() == record


def test_a_record_that_claims_a_file_of_another_name_does_not_delete_it(tmp_path):
    (tmp_path / "photo.jpg").write_text("mine")
    (tmp_path / "explain.json").write_text('{"saliency": {"files": ["photo.jpg"]}}')
    save(tmp_path, {"saliency": found("maps")})
    assert (tmp_path / "photo.jpg").read_text() == "mine"


def test_a_run_is_no_place(tmp_path):
    (tmp_path / RECIPE).write_text("")
    with pytest.raises(UsageError) as error:
        save(tmp_path, {"saliency": found("maps")})
    assert error.value.args == (EXPECTED, f"{tmp_path}, a run", REMEDY)


def test_names_that_utf_8_cannot_hold_are_written_so_that_it_can(tmp_path):
    save(tmp_path, {"saliency": found("maps", pictures=[{"picture": b"caf\xe9.png".decode("utf-8", "surrogateescape")}])}, html=True)
    assert json.loads((tmp_path / "explain.json").read_text())["saliency"]["pictures"] == [{"picture": "caf\\xe9.png"}]
