"""The driver of attacks: what it counts, keeps, draws, refuses and says."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from attack.networks import SIDE, digits, taught
from examine.handmade import asked, noise, pictures_of
from neocog.attack import ATTACKS, Attack
from neocog.attack.fgsm import FGSMOptions
from neocog.data.loader import Loader
from neocog.data.pixels import gather
from neocog.engine import Plan
from neocog.errors import DataError, UsageError
from neocog.evaluation import Material
from neocog.examine.attacking import attack_pictures
from neocog.examine.member import Asked
from neocog.examine.stress import StressRequest
from neocog.images import decode, encode_png
from neocog.metrics.classification import wilson_interval
from neocog.progress import Silent
from neocog.run import Trained
from neocog.tasks.classify import Classify, ClassifyOptions

NAMES = tuple(map(str, range(10)))


def as_trained(network, names=NAMES):
    return Trained("small", network, Classify(ClassifyOptions(), names), "classify", names, (), Plan())


def pictures(count=60, start=1500):
    pixels, classes = digits()
    return (pixels[start : start + count] * 255).round().to(torch.uint8), classes[start : start + count]


def data_of(pixels, classes, names=NAMES):
    dataset = pictures_of(pixels, classes)
    dataset.class_names = names
    gathered = gather(dataset, canvas=(pixels.shape[2], pixels.shape[3]), channels=pixels.shape[1])
    loader = Loader(dataset, gathered, pixels.shape[1])
    material = Material(dataset, loader, gathered, gathered.digests, [], [])
    return Asked(material, "test", torch.arange(len(classes)))


def request(methods, trained=None, data=None, **choices):
    trained = trained or as_trained(taught())
    data = data or data_of(*pictures())
    options = {name: ATTACKS[name].Options(**chosen) for name, chosen in methods.items()}
    return StressRequest(trained, options, lambda: data, Silent(), **choices)


def rows_of(findings, place=0):
    return findings.facts["attacks"][place]["rows"]


def test_counts_are_what_the_attack_leaves():
    trained, (pixels, classes) = as_trained(taught()), pictures()
    findings = attack_pictures(request({"fgsm": {}}, epsilons=(0.05, 0.2), speed="exact"))
    objective = _objective(trained, classes)
    images = pixels.float() / 255
    wrong = objective.fooled(images)
    clean = findings.facts["clean"]
    assert clean["accuracy"] == pytest.approx(1 - float(wrong.double().mean()))
    for row, epsilon in zip(rows_of(findings), (0.05, 0.2), strict=True):
        attacked = ATTACKS["fgsm"].attack(objective, images, FGSMOptions(epsilon=epsilon), generator=torch.Generator())
        left = ~(wrong | objective.fooled(attacked))
        assert row["accuracy"] == pytest.approx(float(left.double().mean()))
        assert row["interval"] == list(wilson_interval(int(left.sum()), 60))
        stored = torch.stack([decode(encode_png((one * 255).round().to(torch.uint8)), channels="grey") for one in attacked])
        assert row["accuracy_as_png"] == pytest.approx(float((~(wrong | objective.fooled(stored / 255))).double().mean()))


def test_batches_make_no_difference(monkeypatch):
    whole = attack_pictures(request({"fgsm": {}}, epsilons=(0.1,), speed="exact"))
    monkeypatch.setattr("neocog.examine.victims.taken_at_once", lambda task, size: 7)
    parts = attack_pictures(request({"fgsm": {}}, epsilons=(0.1,), speed="exact"))
    assert rows_of(whole) == rows_of(parts)


def test_the_least_distances_are_thresholds():
    findings = attack_pictures(request({"deepfool": {}}, epsilons=(0.2, 0.5, 50.0), arrays=True))
    found = findings.facts["attacks"][0]
    away = findings.arrays["deepfool_l2_distances"]
    right = round(findings.facts["clean"]["accuracy"] * 60)
    assert [round(row["accuracy"] * 60) for row in found["rows"]] == [right - int((away <= epsilon).sum()) for epsilon in (0.2, 0.5, 50.0)]
    assert found["median_distance"] == pytest.approx(float(np.sort(away)[(len(away) - 1) // 2]))
    assert (found["found"], found["lost"]) == (right, 0)
    assert findings.tables[1].rows[0][0] == "deepfool"


def test_tables_curves_sheets_and_arrays():
    findings = attack_pictures(request({"fgsm": {}, "pgd": {"steps": 5}}, epsilons=(1 / 255, 0.1), norm="linf", arrays=True))
    (table,) = findings.tables
    assert [row[:3] for row in table.rows] == [
        ["clean", "", "0"],
        ["fgsm", "linf", "1/255"],
        ["fgsm", "linf", "0.1"],
        ["pgd", "linf", "1/255"],
        ["pgd", "linf", "0.1"],
    ]
    assert [sheet.name for sheet in findings.sheets] == ["accuracy_linf", "fgsm_linf", "pgd_linf"]
    assert all(sheet.picture.dtype == torch.uint8 for sheet in findings.sheets)
    wrong = findings.arrays["fgsm_linf_01000_wrong"]
    assert (~wrong).mean() == pytest.approx(rows_of(findings)[1]["accuracy"])
    assert (np.abs(findings.arrays["fgsm_linf_01000_after"] - findings.arrays["fgsm_linf_01000_before"]) <= 0.1 + 1e-7).all()


def test_examples_are_kept_as_png_of_the_input_size(tmp_path):
    findings = attack_pictures(request({"fgsm": {}}, epsilons=(0.2,), keep=tmp_path / "pictures"))
    files = sorted((tmp_path / "pictures").iterdir())
    assert [str(file) for file in files] == sorted(findings.facts["pictures_written"])
    assert len(files) == 8  # four, before and after
    assert decode(files[0].read_bytes(), channels="native").shape == (1, SIDE, SIDE)


def test_towards_a_class():
    findings = attack_pictures(request({"pgd": {"steps": 20}}, epsilons=(0.4,), targeted=8))
    (row,) = rows_of(findings)
    classes = pictures()[1]
    assert all(one["answers"][1] == "8" and one["picture"].startswith("handmade[") for one in row["examples"])
    assert all(0 < sure <= 1 for one in row["examples"] for sure in one["confidences"])
    assert findings.facts["targeted"] == "8"
    assert findings.facts["pictures"] == int((classes != 8).sum())
    assert findings.facts["notes"][0] == f"{int((classes == 8).sum())} pictures of 8 are left out: it is aimed at"
    assert row["fooled"] > 0.5
    assert findings.tables[0].headings[-2:] == ["fooled", "fooled from PNG"]


def test_transfer_to_a_second_network():
    second = as_trained(taught("linear"))
    findings = attack_pictures(request({"pgd": {"stop_early": False}}, epsilons=(0.25,), transfer_to=second))
    clean, (row,) = findings.facts["clean"], rows_of(findings)
    pixels, classes = pictures()
    assert clean["accuracy_transferred"] == pytest.approx(float((~_objective(second, classes).fooled(pixels / 255)).double().mean()))
    assert row["accuracy"] < row["accuracy_transferred"] < clean["accuracy_transferred"]
    assert findings.tables[0].headings[-1] == "accuracy of small"


def test_a_second_network_with_another_input_size_and_order_of_classes():
    pixels, classes = pictures()
    enlarged = nn.Sequential(nn.AvgPool2d(2), taught("linear").head)
    second = asked({}, enlarged, channels=(), size=2 * SIDE, classes=10)
    second = dataclasses.replace(second, class_names=NAMES)
    second.model.preprocess = dataclasses.replace(second.model.preprocess, mean=(0.25,), std=(0.5,))
    findings = attack_pictures(request({"fgsm": {}}, epsilons=(0.1,), transfer_to=second))
    assert findings.facts["clean"]["accuracy_transferred"] > 0.5
    assert "for handmade the attacked pictures are resized to 16x16" in findings.facts["notes"]
    assert len(pixels) == len(classes)


@pytest.mark.parametrize(
    ("second", "expected", "found"),
    [
        (lambda: dataclasses.replace(as_trained(taught()), task_name="segment"), "two networks that classify", "classify and segment"),
        (lambda: as_trained(taught(), tuple("abcdefghij")), "a second network that knows the classes of small", "lacks 0, 1, 2, 3, 4, 5"),
        (
            lambda: asked({}, nn.Flatten(), channels=(), size=8, in_channels=3),
            "a second network for images with 1 channels",
            "3",
        ),
    ],
)
def test_a_second_network_that_does_not_go_with_the_first(second, expected, found):
    with pytest.raises(UsageError) as refused:
        attack_pictures(request({"fgsm": {}}, transfer_to=second()))
    assert expected in refused.value.expected
    assert found in refused.value.found


def test_fewer_pictures_than_there_are_are_drawn_and_said():
    findings = attack_pictures(request({"fgsm": {}}, epsilons=(0.1,), pictures=20))
    assert findings.facts["pictures"] == 20
    assert "20 of 60 pictures, drawn at random; --pictures takes more" in findings.lines
    assert attack_pictures(request({"fgsm": {}}, epsilons=(0.1,), pictures=20)).facts == findings.facts


def test_a_subset_of_the_classes_is_said():
    pixels, classes = pictures()
    some = classes < 2
    data = data_of(pixels[some], classes[some], ("0", "1"))
    findings = attack_pictures(request({"fgsm": {}}, data=data, epsilons=(0.1,)))
    assert "the data have 2 of the network's 10 classes" in findings.lines
    with pytest.raises(DataError, match="classes that the network knows"):
        attack_pictures(request({"fgsm": {}}, data=data_of(pixels[some], classes[some], ("0", "eleven"))))


@pytest.mark.parametrize(
    ("methods", "choices", "expected", "found", "remedy"),
    [
        (
            {"carlini_wagner": {}},
            {"norm": "linf"},
            "a method that knows the norm linf",
            "carlini_wagner, which knows l2",
            "choose one of deepfool, fgsm",
        ),
        (
            {"deepfool": {}},
            {"targeted": 1},
            "a method that can aim at a class",
            "deepfool",
            "leave --targeted away, or choose one of carlini_",
        ),
    ],
)
def test_what_a_method_cannot_do(methods, choices, expected, found, remedy):
    with pytest.raises(UsageError) as refused:
        attack_pictures(request(methods, **choices))
    assert (refused.value.expected, refused.value.found) == (expected, found)
    assert refused.value.remedy.startswith(remedy)


def test_a_network_without_gradients_is_sent_to_squares():
    class Steps(nn.Module):
        def forward(self, images):
            return torch.stack([(images.flatten(1) > 0.5).float().sum(dim=1), torch.full((len(images),), 8.0)], dim=1).detach()

    trained = asked({}, nn.Sequential(Steps(), nn.Identity()), channels=(), size=4)
    trained.model.head.register_buffer("nothing", torch.zeros(1))
    pixels = noise(20, 4)
    classes = (trained.model(pixels / 255)).argmax(dim=1)
    data = data_of(pixels, classes, ("0", "1"))
    with pytest.raises(UsageError) as refused:
        attack_pictures(request({"fgsm": {}}, trained, data, epsilons=(0.5,)))
    assert refused.value.remedy == "use the method square, which asks for none"
    findings = attack_pictures(request({"square": {"queries": 50}}, trained, data, epsilons=(0.5,)))
    assert rows_of(findings)[0]["accuracy"] < 0.5


def test_pictures_that_are_all_misnamed():
    pixels, classes = pictures(6)
    with torch.no_grad():
        answers = taught()(taught().preprocess.normalise(pixels / 255)).argmax(dim=1)
    with pytest.raises(DataError) as refused:
        attack_pictures(request({"fgsm": {}}, data=data_of(pixels, (answers + 1) % 10)))
    assert refused.value.expected == "a picture about which the network is right"
    assert refused.value.found == "6, all misnamed before any attack"
    assert len(classes) == 6


def test_a_class_that_all_pictures_have():
    pixels, classes = pictures()
    ones = classes == 1
    with pytest.raises(DataError) as refused:
        attack_pictures(request({"fgsm": {}}, data=data_of(pixels[ones], classes[ones]), targeted=1))
    assert refused.value.expected == "pictures of other classes"
    assert refused.value.found == "pictures of 1 alone, the class that is aimed at"


def test_the_network_is_as_before():
    trained = as_trained(copy.deepcopy(taught()))
    trained.model.zero_grad(set_to_none=True)
    before = {name: tensor.clone() for name, tensor in trained.model.state_dict().items()}
    attack_pictures(request({"pgd": {"steps": 3}}, trained, epsilons=(0.1,)))
    assert all(torch.equal(tensor, before[name]) for name, tensor in trained.model.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in trained.model.parameters())


def test_gradients_by_a_plan_hardly_change_what_comes_out(monkeypatch):
    """The plan is forced; answers are in float32 all the same."""
    from neocog.examine import victims

    plan = Plan(layout="channels_last", precision="bfloat16")
    monkeypatch.setattr(victims, "choose_plan", lambda *_, **__: type("Choice", (), {"plan": plan}))
    data = data_of(*pictures(250, 1500))
    exact = attack_pictures(request({"pgd": {}}, data=data, epsilons=(0.1,), speed="exact"))
    fast = attack_pictures(request({"pgd": {}}, data=data, epsilons=(0.1,)))
    assert fast.facts["gradients"] == "cpu, channels last, bfloat16, 1 thread"
    assert exact.facts["gradients"] == "cpu float32"
    assert fast.facts["clean"] == exact.facts["clean"]
    assert abs(rows_of(fast)[0]["accuracy"] - rows_of(exact)[0]["accuracy"]) <= 0.02


def test_the_probe_compares_gradients_of_the_attack():
    from neocog.engine import Trial
    from neocog.examine.victims import _GradientTrial

    pixels, classes = pictures(8)
    trained = as_trained(taught())
    trial = _GradientTrial(trained.model, _objective(trained, classes), pixels / 255)
    assert isinstance(trial, Trial)
    trial.prepare(Plan())
    trial.step()
    exact = trial.gradients()
    trial.prepare(Plan(layout="channels_last", precision="bfloat16"))
    trial.step()
    assert torch.nn.functional.cosine_similarity(exact, trial.gradients(), dim=0) > 0.99
    assert not torch.equal(exact, trial.gradients())


def test_a_small_epsilon_is_warned_of():
    findings = attack_pictures(request({"fgsm": {}}, epsilons=(0.001, 0.1)))
    assert any(line.startswith("warning: epsilon 0.001 is below one grey level (1/255)") for line in findings.lines)


def test_the_default_radii_suit_the_norm():
    findings = attack_pictures(request({"fgsm": {}, "deepfool": {}}))
    assert [row["epsilon"] for row in rows_of(findings, 0)] == [levels / 255 for levels in (1, 2, 4, 8, 16)]
    assert [row["epsilon"] for row in rows_of(findings, 1)] == [0.1, 0.25, 0.5, 1.0, 2.0]
    assert [sheet.name for sheet in findings.sheets][:2] == ["accuracy_linf", "accuracy_l2"]


def test_every_attack_goes_through_the_driver():
    quick = {"steps": 3, "queries": 5, "searches": 2}
    data = data_of(*pictures(12))
    for name in ATTACKS:
        member = ATTACKS[name]
        if isinstance(member, Attack):
            known = {key: value for key, value in quick.items() if key in member.Options.__dataclass_fields__}
            findings = attack_pictures(request({name: known}, as_trained(taught("linear")), data))
            assert findings.facts["attacks"][0]["method"] == name


def _objective(trained, classes):
    from neocog.tasks.classify import ClassifyObjective

    return ClassifyObjective(trained.model, classes)
