"""What the drivers of fooling pictures tell, draw and keep."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import neocog
from examine.handmade import asked
from neocog.attack import ATTACKS
from neocog.errors import UsageError
from neocog.examine.fooling import fool, question_without_pictures
from neocog.examine.stress import STRESSES, StressRequest
from neocog.examine.templates import template_sheet, templates
from neocog.images import decode
from neocog.progress import Silent

SIDE = 8
METHODS = {"fooling_gradient": {"steps": 60, "rate": 0.03}, "fooling_evolution": {"generations": 6, "children": 12}}


def network(classes=4, channels=1):
    torch.manual_seed(1)
    head = nn.Sequential(nn.Flatten(), nn.Linear(channels * SIDE * SIDE, 24), nn.Tanh(), nn.Linear(24, classes))
    with torch.no_grad():
        head[1].weight.mul_(5)
        head[3].weight.mul_(8)
    return asked({}, head, channels=(), size=SIDE, in_channels=channels, classes=classes)


def no_data():
    raise AssertionError("pictures of nothing need no data")


def request(trained, *names, **others):
    methods = {name: ATTACKS[name].Options(**METHODS[name]) for name in names}
    return StressRequest(trained, methods, no_data, Silent(), **others)


@pytest.mark.parametrize("name", METHODS)
def test_findings_tell_what_the_network_says(name, tmp_path):
    trained = network()
    found = fool(request(trained, name, keep=tmp_path / "kept", arrays=True))
    (facts,) = found.facts["fooling"]
    assert [row["name"] for row in facts["classes"]] == list("0123")
    sure = sum(row["confidence"] > 0.99 for row in facts["classes"])
    assert facts["over_99_percent"] == sure
    assert found.lines == [
        f"{name}: {sure} of 4 classes with over 99 % confidence, median {facts['median_confidence']:.2%}, "
        f"after {facts[ATTACKS[name].rounds]} {ATTACKS[name].rounds}"
    ]
    short = name.removeprefix("fooling_")
    assert [sheet.name for sheet in found.sheets] == [short, f"{short}_curve"]
    assert set(found.arrays) == {f"{name}_{part}" for part in ("pixels", "classes", "confidences", "curve")}
    objective = question_without_pictures(trained)
    for path in map(Path, found.facts["files"]):
        index = int(path.name.split("-")[1])
        picture = decode(path.read_bytes(), channels="grey")
        told = objective.scores(picture[None].float() / 255).softmax(dim=1)[0, index].detach()
        assert float(told) == pytest.approx(facts["classes"][index]["confidence"], abs=1e-5)


def test_equal_seeds_give_equal_findings():
    trained = network()
    first, again, other = (fool(request(trained, "fooling_evolution", seed=seed)).facts for seed in (4, 4, 5))
    assert first == again
    assert first != other


def test_a_class_that_is_named_is_the_only_one():
    found = fool(request(network(), "fooling_gradient", targeted=2))
    assert [row["name"] for row in found.facts["fooling"][0]["classes"]] == ["2"]


def test_of_many_classes_the_gradient_takes_some_and_evolution_all():
    found = fool(request(network(classes=40), "fooling_gradient", "fooling_evolution"))
    gradient, evolution = found.facts["fooling"]
    assert len(gradient["classes"]) == 12
    assert len(evolution["classes"]) == 40
    assert len(found.tables[1].rows) <= 30
    assert [sheet.name for sheet in found.sheets] == ["gradient", "gradient_curve", "evolution", "evolution_curve"]


def test_each_picture_is_shown_once():
    class_of_all = asked({}, nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 3)), channels=(), size=SIDE, classes=3)
    with torch.no_grad():
        class_of_all.model.head[1].weight.zero_()  # one picture is as good as another, and stays champion of all
    found = fool(request(class_of_all, "fooling_evolution"))
    assert len(found.tables[0].rows) == 1


def test_a_network_for_another_task_is_refused():
    with pytest.raises(UsageError) as caught:
        fool(request(replace(network(), task_name="segment"), "fooling_gradient"))
    assert caught.value.expected == "a network that classifies, to be fooled by pictures of nothing"
    assert caught.value.found == "one for the task segment"
    assert STRESSES["fooling"].run is fool


def test_what_is_not_fooling_is_refused():
    with pytest.raises(TypeError, match="pgd does not start from nothing"):
        fool(StressRequest(network(), {"pgd": None}, no_data, Silent()))


def linear_network(classes=3):
    torch.manual_seed(0)
    return asked({}, nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, classes)), channels=(), size=SIDE, classes=classes)


def test_templates_are_the_weights():
    trained = linear_network()
    expected = trained.model.head[1].weight.detach().view(3, 1, SIDE, SIDE)
    torch.testing.assert_close(templates(trained), expected, atol=1e-6, rtol=1e-5)
    sheet = template_sheet(trained)
    assert sheet.name == "templates"
    assert sheet.picture.dtype == torch.uint8


def test_a_network_that_is_not_linear_has_no_templates():
    with pytest.raises(UsageError) as caught:
        templates(network())
    assert caught.value.expected == "scores that are linear in the picture, for linear"


@pytest.mark.slow
@pytest.mark.realdata
def test_mobilenet_v2_takes_noise_for_a_lion_with_over_99_percent(real_data, tmp_path):
    run = neocog.pretrained("mobilenet_v2", weights=next((real_data / "weights").glob("mobilenet_v2*.pth")))
    found = run.attack(method="fooling_gradient", targeted="lion", save=tmp_path / "out", progress=False)
    (row,) = found.to_dict()["methods"]["fooling"]["fooling"][0]["classes"]
    assert (row["name"], row["confidence"] > 0.99) == ("lion", True)
    (path,) = (tmp_path / "out" / "pictures").iterdir()
    with torch.no_grad():
        scores = question_without_pictures(run.trained).scores(decode(path.read_bytes())[None].float() / 255)
    assert float(scores.softmax(dim=1)[0, run.class_names.index("lion")]) == pytest.approx(row["confidence"], abs=1e-4)
