"""Names of files and folders that are not UTF-8, from one end to the other."""

import json
import sys

import pytest
from pyarrow import parquet

from cli.folders import TRAINING, picture, saved

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode there")


def test_a_whole_run(tell, photos, tmp_path):
    files = {f"caf\udce9/{number}.png": saved(picture(200 + number)) for number in range(10)}
    data = photos({**files, "cat/na\udcefve.png": saved(picture(50)), "cat/deep\udce9.png": b"x"})
    told = tell("data", data)
    assert told.exit_code == 0, told.err
    assert r"caf\xe9" in told.out
    assert "cat/deep\\udce9.png: a file of another kind" in told.out
    answer = tell("data", data, "--json").answer
    assert answer["class_names"] == [r"caf\xe9", "cat", "dog"]
    assert [fault["where"] for fault in answer["faults"]] == ["cat/deep\udce9.png"]  # JSON gives the very name
    run = tmp_path / "run"
    told = tell("train", data, "--out", run, *TRAINING)
    assert told.exit_code == 0, told.err
    told = tell("evaluate", run, data, "--save", tmp_path / "kept", "--json")
    assert told.exit_code == 0, told.err
    rows = parquet.read_table(tmp_path / "kept" / "predictions.parquet").to_pylist()
    assert {r"cat/na\xefve.png", "caf\\xe9/0.png"} <= {row["picture"] for row in rows}
    assert {row["target"] for row in rows} == {r"caf\xe9", "cat", "dog"}
    told = tell("predict", run, data / "cat" / "na\udcefve.png", "--json")
    assert told.exit_code == 0, told.err
    assert "\\udcef" in told.out
    assert "na\udcefve.png" in json.dumps(told.answer, ensure_ascii=False)
