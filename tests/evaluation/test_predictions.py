"""The table of a classification's predictions is written some rows at a time."""

import io

import pyarrow
import torch
from pyarrow import parquet

from neocog.data.files import LabelledFiles
from neocog.evaluation import predictions
from neocog.evaluation.cost import Cost
from neocog.evaluation.evaluate import Evaluation, Ranked
from neocog.metrics.classification import ClassificationMetrics

NAMES = ("cat", "dog", "owl")


def written(folder, monkeypatch, at_once=None):
    """120 made-up answers, as a file."""
    numbers = torch.Generator().manual_seed(0)
    chosen, found = torch.rand(120, 3, generator=numbers).sort(dim=1, descending=True)
    ranked = Ranked(found[:, 0], torch.arange(120) % 3, found, chosen)
    files = LabelledFiles("made", folder, [f"{number}.png" for number in range(200)], [0] * 200, NAMES)
    cost = Cost(networks=1, views=1, seconds=1.0, single_seconds=1.0)
    evaluation = Evaluation("test", {}, ClassificationMetrics(3), torch.arange(120) + 50, ranked, 1.0, (), (), cost)
    if at_once:
        monkeypatch.setattr(predictions, "ROWS_AT_ONCE", at_once)
    path = folder / "predictions.parquet"
    predictions.write_predictions(path, evaluation, files, NAMES)
    return path.read_bytes()


def test_a_small_table_is_one_group_of_rows(tmp_path, monkeypatch):
    file = parquet.ParquetFile(io.BytesIO(written(tmp_path, monkeypatch)))
    assert (file.num_row_groups, file.metadata.num_rows) == (1, 120)


def test_how_many_rows_are_written_at_once_changes_none(tmp_path, monkeypatch):
    whole = parquet.read_table(pyarrow.BufferReader(written(tmp_path, monkeypatch)))
    parts = written(tmp_path, monkeypatch, at_once=50)
    assert parquet.ParquetFile(io.BytesIO(parts)).num_row_groups == 3
    assert parquet.read_table(pyarrow.BufferReader(parts)).equals(whole)
    assert whole["picture"].to_pylist() == [f"{number}.png" for number in range(50, 170)]
