"""How filters, top patches and the embedding moved over the epochs that a run kept."""

import pytest

import neocog
from neocog.run.epochs import at_epoch, kept_epochs


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("moving") / "run"
    choices = {"epochs": 3, "keep_every": 1, "batch_size": 256, "progress": False, "speed": "exact"}
    return neocog.train("digits", out=place, model="small_convnet", width=4, **choices)


def explained(run, method, tmp_path, **choices):
    found = run.explain(method=method, save=tmp_path / method, over_epochs=True, progress=False, **choices).found[method]
    assert "over_epochs" in [sheet.name for sheet in found.sheets]
    return found


def test_filters(run, tmp_path):
    explained(run, "filters", tmp_path)


def test_top_patches_end_at_the_last_epochs_own(run, tmp_path):
    found = explained(run, "top_patches", tmp_path, most=60, patches=3, units=(0, 1))
    table = found.tables[-1]
    assert [row[0] for row in table.rows] == ["1", "2", "3"]
    assert table.rows[-1][1] == "1.00"
    last = neocog.Run(at_epoch(run.trained, kept_epochs(run.trained)[-1]))
    again = last.explain(method="top_patches", save=tmp_path / "again", most=60, patches=3, units=(0, 1), progress=False)
    assert again.found["top_patches"].facts["seconds"] is None  # the weights of that epoch were looked at before


def test_the_embedding(run, tmp_path):
    found = explained(run, "embedding", tmp_path, most=40, perplexity=5, thumbnails=False)
    assert [row[0] for row in found.tables[-1].rows] == ["1", "2", "3"]
