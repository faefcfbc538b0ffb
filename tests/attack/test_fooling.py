"""Fooling pictures of networks whose answers are formulas: what the searches reach, and what they promise."""

import dataclasses
import itertools

import pytest
import torch
from torch import nn

from examine.handmade import asked
from neocog.attack import ATTACKS, Fooling
from neocog.attack.fooling_evolution import FoolingEvolutionOptions, fooling_evolution
from neocog.attack.fooling_gradient import FoolingGradientOptions, fooling_gradient
from neocog.errors import RecipeError, UsageError
from neocog.options import options_of
from neocog.tasks.classify import ClassifyObjective

SIDE, CLASSES = 8, 5
FOOLING = [name for name in ATTACKS if isinstance(ATTACKS[name], Fooling)]
SHORT = {"fooling_gradient": {"steps": 4}, "fooling_evolution": {"generations": 4, "children": 10}}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def small_network(in_channels=1):
    """A network of random weights that depends on everything in its image."""
    torch.manual_seed(3)
    head = nn.Sequential(nn.Flatten(), nn.Linear(in_channels * SIDE * SIDE, 32), nn.Tanh(), nn.Linear(32, CLASSES))
    with torch.no_grad():
        head[1].weight.mul_(4)
        head[3].weight.mul_(6)
    return asked({}, head, channels=(), size=SIDE, in_channels=in_channels, classes=CLASSES)


def quadrants():
    """A network that is surest of a class when that class's stripe is light and the rest dark."""
    layer = nn.Linear(SIDE * SIDE, CLASSES - 1)
    with torch.no_grad():
        stripes = torch.eye(CLASSES - 1).repeat_interleave(SIDE * SIDE // (CLASSES - 1), dim=1)
        layer.weight.copy_(stripes * 1.25 - 0.25)
        layer.bias.zero_()
    return asked({}, nn.Sequential(nn.Flatten(), layer), channels=(), size=SIDE, classes=CLASSES - 1)


def made(name, trained, *, classes=None, seed=0, channels=1, tell=None, **options):
    member = ATTACKS[name]
    wanted = torch.arange(len(trained.class_names)) if classes is None else torch.tensor(classes)
    objective = ClassifyObjective(trained.model, None)
    chosen = member.Options(**{**SHORT[name], **options})
    return member.fool(objective, wanted, (channels, SIDE, SIDE), chosen, generator=generator(seed), tell=tell)


def confidences_of(trained, fooled):
    scores = ClassifyObjective(trained.model, None).scores(fooled.pixels.float() / 255)
    return scores.softmax(dim=1).gather(1, fooled.classes[:, None])[:, 0].detach()


@pytest.mark.parametrize("name", FOOLING)
@pytest.mark.parametrize("channels", [1, 3])
def test_confidences_are_those_of_the_pictures_as_a_file_holds_them(name, channels):
    trained = small_network(channels)
    fooled = made(name, trained, channels=channels)
    assert fooled.pixels.dtype == torch.uint8
    assert fooled.pixels.shape == (CLASSES, channels, SIDE, SIDE)
    torch.testing.assert_close(fooled.confidences, confidences_of(trained, fooled), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", FOOLING)
def test_equal_seeds_give_equal_pictures(name):
    trained = small_network()
    first, again, other = (made(name, trained, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.pixels, again.pixels)
    assert first.curve == again.curve
    assert not torch.equal(first.pixels, other.pixels)


@pytest.mark.parametrize("name", FOOLING)
def test_confidences_never_fall_and_every_round_is_told(name):
    told = []
    fooled = made(name, small_network(), tell=told.append)
    assert tuple(told) == fooled.curve
    assert [at.number for at in told] == list(range(len(told)))
    for before, after in itertools.pairwise(told):
        assert all(later >= earlier for earlier, later in zip(before.confidences, after.confidences, strict=True))
    assert told[-1].confidences == pytest.approx(fooled.confidences.tolist())


@pytest.mark.parametrize("name", FOOLING)
def test_the_network_is_as_before(name):
    trained = small_network()
    before = {key: value.clone() for key, value in trained.model.state_dict().items()}
    made(name, trained)
    assert not any(module.training for module in trained.model.modules())
    assert all(parameter.grad is None for parameter in trained.model.parameters())
    assert all(torch.equal(value, before[key]) for key, value in trained.model.state_dict().items())


@pytest.mark.parametrize("name", FOOLING)
def test_only_the_classes_that_are_asked_for(name):
    fooled = made(name, small_network(), classes=[3, 1])
    assert fooled.classes.tolist() == [3, 1]
    assert len(fooled.pixels) == len(fooled.confidences) == 2


@pytest.mark.parametrize("name", FOOLING)
def test_a_method_of_fooling_says_what_it_is(name):
    member = ATTACKS[name]
    fields = {field.name: field for field in dataclasses.fields(member.Options)}
    assert fields[member.rounds].metadata["low"] == 1
    assert member.kind == "fooling"
    assert member.summary
    assert "https://" in member.source
    with pytest.raises(RecipeError) as caught:
        member.Options(**{member.rounds: 0})
    assert caught.value.found == "0"


def test_the_gradient_reaches_over_99_percent():
    fooled = made("fooling_gradient", small_network(), steps=300, rate=0.02)
    assert float(fooled.confidences.min()) > 0.99
    assert fooled.curve[-1].number < 300  # it ends when all are sure


def test_the_gradient_of_a_linear_network_leads_to_its_stripes():
    trained = quadrants()
    fooled = made("fooling_gradient", trained, steps=400, rate=0.05, sure=1.0, noise=0.0)
    stripes = fooled.pixels.view(4, 4, -1).float().mean(dim=2)
    assert (stripes.argmax(dim=1) == torch.arange(4)).all()
    assert float(stripes.diagonal().min()) > 200


def test_decay_and_smoothness_keep_a_picture_grey_and_smooth():
    trained = small_network()

    def spread(**options):
        pixels = made("fooling_gradient", trained, steps=60, sure=1.0, **options).pixels.float()
        return float((pixels - 127.5).abs().mean()), float(pixels.diff(dim=3).abs().mean())

    free, drawn_to_grey, smoothed = spread(), spread(decay=300.0), spread(smoothness=100.0)
    assert drawn_to_grey[0] < 0.8 * free[0]
    assert smoothed[1] < 0.8 * free[1]


def test_a_network_without_gradients_cannot_be_climbed():
    class Deaf(ClassifyObjective):
        def scores(self, images):
            return super().scores(images).detach()

    with pytest.raises(UsageError) as caught:
        fooling_gradient(
            Deaf(small_network().model, None), torch.arange(2), (1, SIDE, SIDE), FoolingGradientOptions(), generator=generator()
        )
    assert caught.value.expected == "a network whose scores have gradients by the image"


@pytest.mark.parametrize("encoding", ["direct", "cppn"])
def test_evolution_by_hand(encoding):
    """MAP-Elites as its paper has it, one child after the other, with the same draws."""
    import numpy as np

    from neocog.attack.encodings import ENCODINGS

    trained, member = small_network(), ENCODINGS[encoding]
    options = FoolingEvolutionOptions(encoding=encoding, generations=6, children=7)
    found = fooling_evolution(
        ClassifyObjective(trained.model, None), torch.arange(CLASSES), (1, SIDE, SIDE), options, generator=generator()
    )
    numbers = np.random.default_rng(int(torch.randint(1 << 62, (), generator=generator())))
    elites, best = [None] * CLASSES, [-1.0] * CLASSES
    for generation in range(7):
        children = []
        for _ in range(7):
            if generation == 0:
                children.append(member.first((1, SIDE, SIDE), numbers))
            else:
                children.append(member.mutate(elites[int(numbers.integers(CLASSES))], generation - 1, numbers))
        for child in children:
            pixels = (member.render(child, (1, SIDE, SIDE)) * 255).round() / 255
            sure = ClassifyObjective(trained.model, None).scores(pixels[None]).softmax(dim=1)[0].tolist()
            for index in range(CLASSES):
                if sure[index] > best[index] + 1e-7:
                    elites[index], best[index] = child, sure[index]
    assert found.confidences.tolist() == pytest.approx(best, abs=1e-5)
    drawn = torch.stack([(member.render(elite, (1, SIDE, SIDE)) * 255).round().byte() for elite in elites])
    assert torch.equal(found.pixels, drawn)


@pytest.mark.parametrize("encoding", ["direct", "cppn"])
def test_evolution_climbs(encoding):
    fooled = made("fooling_evolution", quadrants(), encoding=encoding, generations=60, children=30)
    first, last = fooled.curve[0].confidences, fooled.curve[-1].confidences
    assert sum(last) / 4 > min(sum(first) / 4 + 0.1, 0.99)


def test_how_many_pass_together_changes_nothing(monkeypatch):
    trained = small_network()
    whole = [made(name, trained) for name in FOOLING]
    for module in ("fooling_gradient", "fooling_evolution"):
        monkeypatch.setattr(f"neocog.attack.{module}.PIXELS_AT_ONCE", 3 * SIDE * SIDE)
    for name, before in zip(FOOLING, whole, strict=True):
        after = made(name, trained)
        torch.testing.assert_close(after.confidences, before.confidences, atol=1e-4, rtol=0)


def test_an_encoding_that_is_not_there():
    with pytest.raises(RecipeError) as caught:
        options_of(FoolingEvolutionOptions, {"encoding": "wavelets"}, "fooling_evolution")
    assert caught.value.found == "'wavelets'"
