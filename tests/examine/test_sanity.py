"""Checks of attacks: each is shown one that it must catch."""

import dataclasses

import pytest
import torch
from torch import nn

from attack.networks import taught
from examine.handmade import asked
from examine.test_attacking import as_trained, data_of, pictures, request
from neocog.attack import ATTACKS
from neocog.examine.attacking import attack_pictures

FAR = 0.15


def checks_of(findings):
    return {check["check"]: check for check in findings.facts["checks"]}


def weakened(monkeypatch, name, attack):
    monkeypatch.setitem(ATTACKS._members, name, dataclasses.replace(ATTACKS[name], attack=attack))


def test_all_hold_of_attacks_that_work():
    findings = attack_pictures(request({"pgd": {}, "square": {"queries": 200}}, epsilons=(0.02, 0.1)))
    checks = checks_of(findings)
    assert all(check["holds"] for check in checks.values())
    assert set(checks) == {
        "pgd linf: a larger epsilon never helps the defender",
        "square linf: a larger epsilon never helps the defender",
        "pgd linf does no worse than fgsm",
        "pgd linf does no worse than square",
        "pgd linf: with no bound every picture is fooled",
        "square linf: with no bound every picture is fooled",
        "no picture's gradient is 0",
    }
    assert "checks: 7 of the attacks, all hold" in findings.lines


def test_an_attack_that_does_nothing(monkeypatch):
    weakened(monkeypatch, "pgd", lambda objective, images, options, *, generator: images.clone())
    findings = attack_pictures(request({"pgd": {}}, epsilons=(FAR,)))
    lines = [line for line in findings.lines if line.startswith("warning: ")]
    assert len(lines) == 2
    assert lines[0].startswith("warning: pgd linf fools ")
    assert lines[0].endswith(": it is too weak: give it more steps")
    assert "unfooled with no bound at all: its numbers flatter the network" in lines[1]


def test_an_attack_that_forgets_to_go_far(monkeypatch):
    honest = ATTACKS["fgsm"].attack

    def tired(objective, images, options, *, generator):
        return images.clone() if options.epsilon == FAR else honest(objective, images, options, generator=generator)

    weakened(monkeypatch, "fgsm", tired)
    findings = attack_pictures(request({"fgsm": {}}, epsilons=(0.1, FAR)))
    check = checks_of(findings)["fgsm linf: a larger epsilon never helps the defender"]
    assert not check["holds"]
    assert check["found"].endswith(" at 0.1: it is too weak; give it more steps or restarts")


def test_a_network_that_hides_its_gradients():
    """Scores a million times as high: the loss is flat in float32, and attacks by gradient stand still."""

    class Loud(nn.Module):
        def forward(self, scores):
            return 1e6 * scores

    quiet = taught()
    trained = asked(dict(quiet.stages.items()), nn.Sequential(quiet.head, Loud()), channels=(8, 16), size=8, classes=10)
    trained.model.preprocess = quiet.preprocess
    trained = dataclasses.replace(trained, class_names=tuple(map(str, range(10))))
    findings = attack_pictures(request({"pgd": {}, "square": {"queries": 200}}, trained, data_of(*pictures()), epsilons=(FAR,)))
    checks = checks_of(findings)
    assert not checks["no picture's gradient is 0"]["holds"]
    assert checks["no picture's gradient is 0"]["found"].endswith("attacks by gradient do not leave them; compare with square")
    assert not checks["pgd linf does no worse than square"]["holds"]
    assert checks["pgd linf does no worse than square"]["found"].endswith("the network hides its gradients; believe the lower accuracy")


def test_a_search_that_finds_nothing(monkeypatch):
    weakened(monkeypatch, "deepfool", lambda objective, images, options, *, generator: images.clone())
    findings = attack_pictures(request({"deepfool": {}}, epsilons=(0.5,)))
    found = checks_of(findings)["deepfool l2: with no bound every picture is fooled"]["found"]
    assert found.startswith("deepfool l2 finds nothing near ")
    assert findings.facts["attacks"][0]["median_distance"] is None


@pytest.mark.parametrize("kind", ["convolutional", "linear"])
def test_the_reference_is_not_told_of(kind):
    findings = attack_pictures(request({"pgd": {"steps": 5}}, as_trained(taught(kind)), epsilons=(0.1,)))
    assert [one["method"] for one in findings.facts["attacks"]] == ["pgd"]
    assert torch.is_tensor(findings.sheets[0].picture)
