"""Attacks on networks that answer per pixel, through the objective of their task alone."""

import pytest

import neocog
from neocog.errors import UsageError

CHOICES = {
    "segment": {"model": "unet", "base": 4, "depth": 2, "augment": ()},
    "denoise": {"model": "dncnn", "depth": 3, "width": 8, "patches_per_picture": 2, "augment": ()},
}


@pytest.fixture(scope="module", params=CHOICES)
def run(request, tmp_path_factory):
    """A network after one epoch of drawn pictures."""
    out = tmp_path_factory.mktemp("tasks") / request.param
    words = {"epochs": 4, "learning_rate": 0.01, "batch_size": 8, "image_size": (32, 32), "count": 40, "size": (32, 32), "speed": "exact"}
    return neocog.train("shapes", out=out, task=request.param, progress=False, **words, **CHOICES[request.param])


def test_what_needs_no_class_a_picture_is_attacked(run, tmp_path):
    found = run.attack(method=["fgsm", "pgd"], epsilon=(0.2,), steps=3, pictures=3, save=tmp_path / "out", progress=False)
    facts = found.found["attack"].facts
    assert facts["pictures"] == 3
    assert facts["attacks"][0]["rows"][0]["accuracy"] <= facts["clean"]["accuracy"]
    assert "accuracy is the share of the pictures that are not fooled, as the task defines it" in facts["notes"]
    assert facts["gradients"] == "cpu float32"
    assert (tmp_path / "out" / "attack-accuracy_linf.png").is_file()


def test_what_needs_one_says_so(run):
    with pytest.raises(UsageError) as refused:
        run.attack(method="deepfool", progress=False)
    assert refused.value.expected == "a network that gives a picture one class, for deepfool"
    assert refused.value.found == f"one for the task {run.trained.task_name}"
    assert refused.value.remedy.startswith("choose one of fgsm, ")


def test_files_have_no_known_answers(run, tmp_path):
    (tmp_path / "one.png").write_bytes(b"")
    with pytest.raises(UsageError, match="a dataset whose answers are known"):
        run.attack(tmp_path / "one.png", progress=False)
