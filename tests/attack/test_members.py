"""What holds of every attack in the registry, in each of its norms."""

import copy

import pytest
import torch

from attack.networks import known_digits, objective_of, state_of, taught
from neocog.attack import ATTACKS
from neocog.attack.ascent import judge
from neocog.attack.balls import distances
from neocog.errors import UsageError

EPSILONS = {"linf": 0.11, "l2": 0.7}
QUICK = {"steps": 8, "step": 0.25, "queries": 40, "searches": 3, "initial_weight": 1.0, "learning_rate": 0.3}
"""Of the options that say how long an attack takes, so that the tests are quick."""

MEMBERS = [(name, norm) for name in ATTACKS for norm in getattr(ATTACKS[name], "norms", ())]
AIMING = [(name, norm) for name, norm in MEMBERS if ATTACKS[name].targeted]


def options_for(name, norm, epsilon=None):
    member = ATTACKS[name]
    known = member.Options.__dataclass_fields__
    chosen = {"norm": norm, "epsilon": EPSILONS[norm] if epsilon is None else epsilon, **QUICK}
    return member.Options(**{field: value for field, value in chosen.items() if field in known})


def run(name, norm, objective, images, *, seed=0, epsilon=None):
    """The attack; a linear network where it needs one."""
    return ATTACKS[name].attack(objective, images, options_for(name, norm, epsilon), generator=torch.Generator().manual_seed(seed))


def network_for(name):
    """One that every attack can be tried on: linear for what asks for that, else with convolutions."""
    network = taught()
    images, classes = known_digits(network, 2)
    try:
        run(name, ATTACKS[name].norms[0], objective_of(network, classes), images)
    except UsageError:
        return taught("linear")
    return network


@pytest.mark.parametrize(("name", "norm"), MEMBERS)
def test_images_stay_in_range_and_ball_exactly(name, norm):
    network = network_for(name)
    images, classes = known_digits(network, 12)
    for epsilon in (EPSILONS[norm], 1 / 255, 0.0) if ATTACKS[name].bounded else (None,):
        attacked = run(name, norm, objective_of(network, classes), images, epsilon=epsilon)
        assert attacked.shape == images.shape
        assert attacked.dtype == torch.float32
        assert not attacked.requires_grad
        assert attacked.min() >= 0
        assert attacked.max() <= 1
        if epsilon is not None:
            assert (distances(attacked, images, norm) <= epsilon).all()


@pytest.mark.parametrize(("name", "norm"), MEMBERS)
def test_a_seed_reproduces_and_no_other_random_state_is_touched(name, norm):
    network = network_for(name)
    images, classes = known_digits(network, 6)
    before = torch.get_rng_state()
    first, second = (run(name, norm, objective_of(network, classes), images, seed=3) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("name", "norm"), MEMBERS)
def test_the_network_and_the_images_are_as_before(name, norm):
    network = copy.deepcopy(network_for(name))
    network.stages.train()  # a mode that is not evaluation's must be left alone too
    network.eval()
    images, classes = known_digits(network, 6)
    next(network.parameters()).requires_grad_(False)
    (state, modes, asks), given = state_of(network), images.clone()
    run(name, norm, objective_of(network, classes), images)
    state_after, modes_after, asks_after = state_of(network)
    assert all(torch.equal(state[key], state_after[key]) for key in state)
    assert (modes, asks) == (modes_after, asks_after)
    assert torch.equal(images, given)


@pytest.mark.parametrize(("name", "norm"), MEMBERS)
def test_an_image_does_not_depend_on_those_after_it(name, norm):
    """In float64, so that the order of sums cannot turn a sign."""
    network = copy.deepcopy(network_for(name)).double()
    images, classes = known_digits(network_for(name), 6)
    images = images.double()
    together = run(name, norm, objective_of(network, classes), images)
    alone = run(name, norm, objective_of(network, classes[:2]), images[:2])
    torch.testing.assert_close(together[:2], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "norm"), MEMBERS)
def test_it_brings_a_network_down(name, norm):
    network = network_for(name)
    images, classes = known_digits(network, 40)
    objective = objective_of(network, classes)
    fooled = judge(objective, run(name, norm, objective, images, epsilon=0.3 if norm == "linf" else 3.0))
    assert fooled.sum() >= 20


@pytest.mark.parametrize(("name", "norm"), AIMING)
def test_it_can_aim_at_a_class(name, norm):
    network = network_for(name)
    images, classes = known_digits(network, 30)
    images, classes = images[classes != 8], classes[classes != 8]
    objective = objective_of(network, classes, targeted=8)
    attacked = run(name, norm, objective, images, epsilon=0.4 if norm == "linf" else 4.0)
    assert judge(objective, attacked).sum() >= len(images) // 3


@pytest.mark.parametrize(("name", "norm"), [pair for pair in MEMBERS if not ATTACKS[pair[0]].bounded])
def test_the_least_change_fools_or_is_none(name, norm):
    network = network_for(name)
    images, classes = known_digits(network, 20)
    objective = objective_of(network, classes)
    attacked = run(name, norm, objective, images)
    fooled = judge(objective, attacked)
    assert (fooled | (distances(attacked, images, norm) == 0)).all()


@pytest.mark.parametrize(("name", "norm"), MEMBERS)
def test_images_that_are_misnamed_already_are_no_trouble(name, norm):
    network = network_for(name)
    images, classes = known_digits(network, 4)
    wrong = (classes + 1) % 10
    attacked = run(name, norm, objective_of(network, wrong), images)
    if not ATTACKS[name].bounded:
        assert torch.equal(attacked, images)
    assert judge(objective_of(network, wrong), images).all()


@pytest.mark.parametrize("name", [name for name in ATTACKS if getattr(ATTACKS[name], "norms", ())])
def test_what_is_said_of_a_member_is_true(name):
    member = ATTACKS[name]
    assert member.summary
    assert "http" in member.source
    assert ("epsilon" in member.Options.__dataclass_fields__) == member.bounded
    assert len(member.norms) == 1 or "norm" in member.Options.__dataclass_fields__
