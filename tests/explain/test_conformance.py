"""What every method of attribution must hold, each with every kind of network; a new file in the folder is in here by itself."""

import copy

import pytest
import torch
from torch import nn

from explain.asking import NETWORKS, Asking, explained, images, network
from neocog.errors import UsageError
from neocog.explain import EXPLAINERS, Attribution
from neocog.options import check

CLASSES = torch.tensor([0, 3, 1])
QUICK = {"smooth_grad": {"samples": 3}, "integrated_gradients": {"steps": 4, "most_steps": 64}, "occlusion": {"positions": 5}}

every_explainer = pytest.mark.parametrize("name", EXPLAINERS.names())
ALWAYS = ("relu in place", "relu6", "functions")
every_network = pytest.mark.parametrize(
    "kind", [kind if kind in ALWAYS else pytest.param(kind, marks=pytest.mark.slow) for kind in NETWORKS]
)


def ask(name, module, pictures, classes, **more):
    return explained(name, module, pictures, classes, **QUICK.get(name, {}), **more)


@every_explainer
def test_a_method_says_what_it_is_and_where_it_comes_from(name):
    member = EXPLAINERS[name]
    assert "https://" in member.source
    assert 20 < len(member.summary) < 120
    assert not member.summary.endswith(".")
    check(member.Options())


@every_explainer
@every_network
def test_there_is_a_finite_number_for_every_pixel(name, kind):
    found = ask(name, network(kind), images(), CLASSES)
    assert isinstance(found, Attribution)
    assert found.maps.shape == (3, 12, 12)
    assert found.maps.isfinite().all()
    assert not found.maps.requires_grad
    assert found.maps.abs().sum() > 0
    assert found.signed or found.maps.min() >= 0
    assert all(values.shape == (3,) for values in found.figures.values())


@every_explainer
def test_a_picture_is_answered_alike_alone_and_beside_others(name):
    module, pictures = network(), images()
    together = ask(name, module, pictures, CLASSES).maps
    rows = torch.tensor([2, 0, 0])
    chosen = ask(name, module, pictures[rows], CLASSES[rows]).maps
    alone = torch.cat([ask(name, module, pictures[row : row + 1], CLASSES[row : row + 1]).maps for row in range(3)])
    torch.testing.assert_close(alone, together, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(chosen, together[rows], rtol=1e-4, atol=1e-5)


@every_explainer
def test_the_seed_reproduces_the_same_bits(name):
    first, again, other = (ask(name, network(), images(), CLASSES, seed=seed).maps for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert torch.equal(first, other) == (name != "smooth_grad")


@every_explainer
@every_network
def test_nothing_of_the_network_is_changed(name, kind):
    module, pictures = network(kind), images()
    module.requires_grad_(True)
    first = next(module.parameters())
    first.requires_grad_(False)
    before, state, modes = copy.deepcopy(pictures), copy.deepcopy(module.state_dict()), [part.training for part in module.modules()]
    wanted = [weights.requires_grad for weights in module.parameters()]
    answers = module(pictures)
    ask(name, module, pictures, CLASSES)
    assert torch.equal(pictures, before)
    assert not pictures.requires_grad
    assert pictures.grad is None
    assert all(torch.equal(value, state[key]) for key, value in module.state_dict().items())
    assert [part.training for part in module.modules()] == modes
    assert [weights.requires_grad for weights in module.parameters()] == wanted
    assert all(weights.grad is None for weights in module.parameters())
    assert all(not hooks(part) for part in module.modules())
    assert torch.equal(module(pictures), answers)


def hooks(module):
    return [hook for name, found in vars(module).items() if name.endswith("_hooks") for hook in found]


@every_explainer
def test_it_works_where_no_gradients_are_being_recorded(name):
    expected = ask(name, network(), images(), CLASSES).maps
    with torch.no_grad():
        torch.testing.assert_close(ask(name, network(), images(), CLASSES).maps, expected)


@every_explainer
def test_a_network_without_a_gradient_is_refused_by_those_who_need_one(name):
    class Counted(nn.Module):
        def __init__(self):
            super().__init__()
            self.second = nn.Conv2d(3, 3, 1)

        @torch.no_grad()
        def forward(self, maps):
            return self.second(maps).mean(dim=(2, 3))

    if not EXPLAINERS[name].gradient:
        assert ask(name, Counted(), images(), torch.tensor([0, 1, 2])).maps.isfinite().all()
        return
    with pytest.raises(UsageError) as error:
        ask(name, Counted(), images(), torch.tensor([0, 1, 2]))
    assert error.value.args == (
        "a network whose answer has a gradient",
        "one without",
        "choose a method that asks for none, as occlusion",
    )


class Counting(Asking):
    """Remembers the most images that passed through the network at once."""

    most = 0

    def scores(self, images):
        Counting.most = max(Counting.most, len(images))
        return super().scores(images)

    def select(self, rows):
        return Counting(self.module, self.classes[rows])


@pytest.mark.parametrize("name", ["smooth_grad", "integrated_gradients", "occlusion"])
def test_however_many_copies_are_asked_few_are_in_memory(name, monkeypatch):
    from neocog.explain import gradient, occlusion

    monkeypatch.setattr(gradient, "PIXELS_AT_ONCE", 5 * 144)
    monkeypatch.setattr(occlusion, "PIXELS_AT_ONCE", 5 * 144)
    monkeypatch.setattr(Counting, "most", 0)
    member, module = EXPLAINERS[name], network()
    options = member.Options(**QUICK[name])
    expected = ask(name, module, images(), CLASSES).maps
    found = member.explain(module, Counting(module, CLASSES), images(), options, layer=None, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(found.maps, expected, rtol=1e-4, atol=1e-5)
    assert Counting.most <= 5
