"""Errors under corruptions against counts by hand, and mean corruption errors against the paper's formula."""

import itertools
from dataclasses import replace

import pytest
import torch
from torch import nn

import neocog
from examine.handmade import asked, loaded, noise
from neocog.attack.corruptions import CORRUPTIONS, STRENGTHS, Options, corrupted
from neocog.errors import RunError, UsageError
from neocog.evaluation import Material
from neocog.examine.corrupting import measure_corruptions, some_of
from neocog.examine.corruption_errors import CorruptionErrors, admitted_corruptions, corruption_errors, placed, spoilt
from neocog.examine.member import Asked
from neocog.examine.stress import STRESSES, StressRequest
from neocog.progress import Silent

SIDE, PICTURES = 8, 40


def brightness_judge():
    """A network that says whether a picture is light."""
    layer = nn.Linear(SIDE * SIDE, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.stack([-torch.ones(SIDE * SIDE), torch.ones(SIDE * SIDE)]) / SIDE**2 * 20)
        layer.bias.copy_(torch.tensor([10.0, -10.0]))
    return asked({}, nn.Sequential(nn.Flatten(), layer), channels=(), size=SIDE)


def pictures():
    """Half of them dark, with a mean of 0.4, half of them light, with one of 0.6; a tenth of the labels is wrong."""
    pixels = noise(PICTURES, SIDE).float() / 255
    pixels = pixels - pixels.mean(dim=(1, 2, 3), keepdim=True)
    light = (torch.arange(PICTURES) % 2).float()
    pixels = (pixels * 0.3 + (0.4 + 0.2 * light)[:, None, None, None]).clamp(0, 1)
    labels = light.long()
    labels[::10] = 1 - labels[::10]
    loader = loaded((pixels * 255).round().byte(), labels)
    return Asked(Material(loader.dataset, loader, loader.gathered, loader.gathered.digests, [], []), "test", torch.arange(PICTURES))


def request(trained, options=None, **others):
    return StressRequest(trained, {"corruptions": options or Options()}, pictures, Silent(), **others)


def test_errors_are_counts_of_wrong_answers():
    trained, material = brightness_judge(), pictures()
    found = corruption_errors(trained, material, ["brightness", "noise"], seed=3, progress=Silent())
    batch = material.material.loader.batch(material.rows)
    for name, strength in itertools.product(("brightness", "noise"), STRENGTHS):
        images = corrupted(name, batch.images, strength, batch.keys, 3)
        light = images.mean(dim=(1, 2, 3)) > 0.5
        assert found.errors[name, strength] == int((light.long() != batch.targets.classes).sum()) / PICTURES
        assert found.amounts[name, strength] == CORRUPTIONS[name].amounts[strength - 1]
    assert (found.clean, found.pictures, found.split, found.name) == (0.1, PICTURES, "test", "handmade")
    assert found.errors["brightness", 5] == 0.4  # all are light by then, and 16 are said to be dark
    assert found.interval(0.1) == pytest.approx((0.0396, 0.2305), abs=1e-4)  # Wilson's, of 4 of 40


def errors(clean, **rows):
    cells = {(name, strength): error for name, row in rows.items() for strength, error in zip(STRENGTHS, row, strict=True)}
    return CorruptionErrors("hand", "test", 100, "error", clean, cells, dict.fromkeys(cells, 0.0))


def test_mean_corruption_errors_by_hand():
    own = errors(0.1, blur=(0.1, 0.2, 0.3, 0.4, 0.5), noise=(0.2, 0.2, 0.2, 0.2, 0.2))
    other = errors(0.2, blur=(0.4, 0.5, 0.6, 0.7, 0.8), noise=(0.3, 0.3, 0.4, 0.5, 0.5))
    assert own.error("blur") == pytest.approx(0.3)
    assert own.mean == pytest.approx(0.25)
    assert own.against(other) == pytest.approx((1.5 / 3.0 + 1.0 / 2.0) / 2)
    assert own.against(other, relative=True) == pytest.approx(((1.5 - 0.5) / (3.0 - 1.0) + (1.0 - 0.5) / (2.0 - 1.0)) / 2)
    assert own.against(own) == pytest.approx(1)


def test_nothing_is_divided_by_no_errors():
    own, perfect = errors(0.1, blur=(0.1, 0.2, 0.3, 0.4, 0.5)), errors(0.0, blur=(0.0, 0.0, 0.0, 0.0, 0.0))
    assert own.against(perfect) is None
    assert own.against(errors(0.05, blur=(0.05,) * 5), relative=True) is None


def test_the_findings_tell_every_corruption_and_strength():
    found = measure_corruptions(request(brightness_judge()))
    assert len(found.facts["corruptions"]) == len(CORRUPTIONS) * 5
    assert found.facts["clean_error"] == pytest.approx(0.1)
    assert found.facts["mean_corruption_error"] == pytest.approx(sum(row["error"] for row in found.facts["corruptions"]) / 35)
    for row in found.facts["corruptions"]:
        low, high = row["interval"]
        assert low <= row["error"] <= high
    (table,) = found.tables
    assert [row[0] for row in table.rows] == CORRUPTIONS.names()
    assert [sheet.name for sheet in found.sheets] == ["examples", "errors"]
    assert all(sheet.picture.dtype == torch.uint8 for sheet in found.sheets)
    assert found.lines[0].startswith("mean corruption error ")


def test_as_many_pictures_as_are_asked_for_and_the_corruptions_that_are_named():
    found = measure_corruptions(request(brightness_judge(), Options(corruptions=("noise", "blur", "noise")), pictures=10))
    assert found.facts["pictures"] == 10
    assert [row["corruption"] for row in found.facts["corruptions"]] == ["noise"] * 5 + ["blur"] * 5


def test_some_pictures_are_drawn_at_random_and_stay_in_order():
    rows = torch.arange(100, 200)
    drawn = some_of(rows, 30, seed=1)
    assert len(drawn.unique()) == 30
    assert drawn.tolist() == sorted(drawn.tolist())
    assert set(drawn.tolist()) <= set(rows.tolist())
    assert drawn.tolist() == some_of(rows, 30, seed=1).tolist() != some_of(rows, 30, seed=2).tolist()
    assert some_of(rows, 100, seed=1) is rows


def test_equal_seeds_give_equal_errors():
    trained = brightness_judge()
    first, again = (measure_corruptions(request(trained, seed=1)).facts for _ in range(2))
    assert first == again


def test_padding_is_not_spoilt():
    batch = placed(brightness_judge(), pictures().material, torch.arange(4))
    valid = torch.zeros(4, SIDE, SIDE, dtype=torch.bool)
    valid[:, :5, :3] = True
    changed = (spoilt(replace(batch, valid=valid), "noise", 5, 0).images != batch.images)[:, 0]
    assert not changed[~valid].any()
    assert changed[valid].any()


def test_against_a_run(tmp_path):
    run = neocog.train("digits", out=tmp_path / "run", model="mlp", widths=(8,), epochs=1, speed="exact", progress=False)
    found = run.attack(method="corruptions", corruptions=("blur",), reference=str(tmp_path / "run"), progress=False)
    facts = found.to_dict()["methods"]["corruption"]
    assert facts["reference"]["mean_corruption_error_against_it"] == pytest.approx(1)
    assert facts["reference"]["mean_corruption_error"] == pytest.approx(facts["mean_corruption_error"])


def test_segmentation_counts_what_its_metric_lacks_of_1(tmp_path):
    settings = {"task": "segment", "epochs": 1, "count": 20, "size": (32, 32), "speed": "exact", "progress": False, "image_size": (32, 32)}
    run = neocog.train("shapes", out=tmp_path / "run", model="unet", base=4, depth=2, **settings)
    found = run.attack(method="corruptions", progress=False).to_dict()["methods"]["corruption"]
    primary = run.trained.task.metrics().primary
    evaluation = run.evaluate(progress=False).named_metrics()
    assert found["measure"] == f"1 - {primary}"
    assert found["clean_error"] == pytest.approx(1 - evaluation[f"test/{primary}"], abs=1e-6)
    names = list(dict.fromkeys(row["corruption"] for row in found["corruptions"]))
    assert names == [name for name in CORRUPTIONS if name not in ("rotation", "shift")]
    assert all(row["interval"] is None for row in found["corruptions"])


def test_a_reference_that_is_no_run(tmp_path):
    with pytest.raises((UsageError, RunError)):
        measure_corruptions(request(brightness_judge(), Options(reference=str(tmp_path))))


@pytest.mark.parametrize(
    ("task", "named", "expected", "found", "remedy"),
    [
        ("classify", "blurr", "the name of a corruption", "'blurr'", "did you mean blur?"),
        ("denoise", "blur", "a network for the task classify or segment, for corruptions", "handmade, for denoise", "ask another network"),
        (
            "segment",
            "shift",
            "a corruption that leaves things where they are, as the masks say",
            "shift",
            "choose among blur, brightness, contrast, jpeg, noise",
        ),
    ],
)
def test_what_has_no_meaning_is_refused(task, named, expected, found, remedy):
    with pytest.raises(UsageError) as caught:
        admitted_corruptions(replace(brightness_judge(), task_name=task), [named])
    assert (caught.value.expected, caught.value.found, caught.value.remedy) == (expected, found, remedy)


def test_the_driver_is_found_by_its_kind():
    assert STRESSES["corruption"].run is measure_corruptions
