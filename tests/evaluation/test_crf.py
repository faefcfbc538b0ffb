"""The field behind a segmentation's answers: that it is asked at the source's size, and how its parameters are found and kept."""

import json

import pytest
import torch
from PIL import Image

import neocog
from neocog.augment import place
from neocog.batch import Batch
from neocog.data.open import open_dataset
from neocog.errors import RunError, UsageError
from neocog.evaluation import crf, crf_of
from neocog.images import decode_mask, resize
from neocog.layers import DenseCrfOptions, dense_crf

CHOICES = {
    "task": "segment",
    "model": "unet",
    "base": 4,
    "depth": 1,
    "epochs": 1,
    "image_size": (16, 20),
    "progress": False,
    "speed": "exact",
}
DATA = {"count": 40, "size": (32, 40)}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return neocog.train("shapes", out=tmp_path_factory.mktemp("crf") / "run", **CHOICES, **DATA)


def test_answers_are_the_marginals_at_the_sources_size(run, tmp_path):
    dataset = open_dataset("shapes", "segment", **DATA)
    picture = dataset.picture(0)
    file = tmp_path / "a.png"
    Image.fromarray(picture.permute(1, 2, 0).numpy()).save(file)
    (plain,) = run.predict(file, progress=False)
    (sharpened,) = run.predict(file, crf=True, progress=False)
    halved = torch.diag(torch.tensor([0.5, 0.5, 1.0]))[None]
    loaded = Batch(resize(picture, (16, 20))[None], None, torch.zeros(1, dtype=torch.int64), torch.tensor([[32, 40]]), halved)
    batch = place(loaded, "letterbox", (16, 20))
    logits = run.trained.model(run.trained.preprocess.normalise(batch.images)).detach()
    (probabilities,) = run.trained.task.probabilities(logits, batch)
    assert torch.equal(plain.prediction.answer.classes.int(), probabilities.argmax(0).int())
    expected = dense_crf(probabilities, picture, DenseCrfOptions())
    assert torch.equal(sharpened.prediction.answer.classes.int(), expected.argmax(0).int())
    torch.testing.assert_close(sharpened.prediction.scores.float(), expected.amax(0), rtol=1e-2, atol=1e-2)


def test_an_evaluation_through_the_field_is_not_the_runs_own(run, tmp_path):
    before = (run.path / "predictions.parquet").read_bytes()
    found = run.evaluate(crf=True, save=tmp_path, progress=False)
    assert (run.path / "predictions.parquet").read_bytes() == before
    assert found.metrics["miou"] >= 0
    assert decode_mask((tmp_path / "predictions" / "000000.png").read_bytes()).shape == (32, 40)
    assert run.evaluate(crf=True, progress=False).files == ()


def test_parameters_are_searched_on_the_validation_split_and_kept(run, monkeypatch):
    monkeypatch.setattr(crf, "TRIED", {"appearance": (2.0, 10.0), "smoothness": (0.0, 3.0)})
    assert crf_of(run.path) == DenseCrfOptions()
    run.evaluate(crf="search", progress=False)
    kept = json.loads((run.path / "crf.json").read_text())
    assert kept["after"] >= kept["before"] - 1
    assert kept["pictures"] == 4  # all of the validation split
    assert crf_of(run.path) == DenseCrfOptions(**kept["options"])
    (run.path / "crf.json").write_text("{}")
    with pytest.raises(RunError) as caught:
        run.evaluate(crf=True, progress=False)
    assert str(caught.value) == (
        f"expected: a whole crf.json\nfound: {run.path / 'crf.json'}, damaged\nto do: take it away, or search again with --crf search"
    )


def test_a_network_that_names_pictures_has_no_use_for_it(tmp_path):
    other = neocog.pretrained("softmax_regression", weights=None)
    with pytest.raises(UsageError) as caught:
        other.evaluate("digits", crf=True, progress=False)
    assert str(caught.value) == "expected: a network that segments, for --crf\nfound: one to classify\nto do: leave --crf away"
