"""A trial's steps happen on a copy: whatever the plan, the network itself is as before to the last bit."""

import copy
import dataclasses

import pytest
import torch
from torch.nn import functional

from neocog.engine import Trial, choose_plan, forward_train, obeying, prepare
from neocog.engine.plan import Plan
from neocog.engine.probe import candidates
from neocog.engine.trial import StepTrial
from neocog.models import create_model

BASE = Plan(machine="this one")


@pytest.fixture(scope="module")
def batch():
    numbers = torch.Generator().manual_seed(0)
    return torch.rand(16, 1, 8, 8, generator=numbers), torch.randint(10, (16,), generator=numbers)


@pytest.fixture
def model():
    torch.manual_seed(0)
    network = create_model("small_convnet", in_channels=1, num_classes=10, image_size=(8, 8), width=4, dropout=0.5)
    return network.train()


@pytest.fixture
def trial(model, batch):
    images, classes = batch
    return StepTrial(model, lambda network, plan: functional.cross_entropy(forward_train(network, images, plan)["logits"], classes))


def facts(model):
    """Everything of a network that a step could change."""
    return {
        **{name: (tensor.clone(), tensor.stride(), tensor.data_ptr()) for name, tensor in model.state_dict().items()},
        **{f"gradient of {name}": (parameter.grad, (), 0) for name, parameter in model.named_parameters()},
        **{f"mode of {name}": (torch.tensor(module.training), (), 0) for name, module in model.named_modules()},
    }


def same(one, other):
    (a, *where), (b, *there) = one, other
    return where == there and (a is b if a is None or b is None else torch.equal(a, b))


@pytest.mark.parametrize("plan", candidates(BASE), ids=Plan.describe)
@pytest.mark.parametrize("given", ["no gradients", "gradients", "evaluation"])
def test_steps_leave_the_network_as_it_was(model, trial, plan, given):
    if given == "gradients":
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
    model.train(given != "evaluation")
    before = facts(model)
    for rounded in (False, True):
        trial.prepare(plan, rounded=rounded)
        trial.step()
        trial.step()
        trial.gradients()
    after = facts(model)
    assert before.keys() == after.keys()
    assert [name for name in before if not same(before[name], after[name])] == []


def test_loss_and_gradients_are_those_of_the_step(model, trial, batch):
    images, classes = batch
    trial.prepare(BASE)
    torch.manual_seed(1)
    loss = trial.step()
    gradients = trial.gradients()
    twin = copy.deepcopy(model)
    torch.manual_seed(1)
    expected = functional.cross_entropy(forward_train(twin, images, BASE)["logits"], classes)
    expected.backward()
    assert torch.equal(loss, expected.detach())
    assert torch.equal(gradients, torch.cat([parameter.grad.reshape(-1) for parameter in twin.parameters()]))


def test_every_trial_begins_from_the_same_state(trial):
    answers = []
    for _ in range(2):
        trial.prepare(BASE)
        torch.manual_seed(1)
        answers.append((trial.step(), trial.gradients()))
        trial.step()  # it moves the copy's statistics
    assert torch.equal(answers[0][0], answers[1][0])
    assert torch.equal(answers[0][1], answers[1][1])


def test_rounded_weights_move_the_gradient_about_as_far_as_bfloat16_does(trial):
    def gradients(plan, *, rounded=False):
        with obeying(plan):
            trial.prepare(plan, rounded=rounded)
            torch.manual_seed(0)
            trial.step()
            return trial.gradients()

    plain = gradients(BASE)
    rounding = (gradients(BASE, rounded=True) - plain).norm()
    bfloat16 = (gradients(candidates(BASE)[2]) - plain).norm()
    assert rounding > 0
    assert 1 / 3 < bfloat16 / rounding < 3


def test_a_probe_of_the_real_thing_chooses_a_right_plan_and_leaves_no_trace(model, trial):
    before, random_state, threads = facts(model), torch.get_rng_state(), torch.get_num_threads()
    plans = candidates(dataclasses.replace(BASE, threads=1))
    choice = choose_plan(trial, plans, steps=10_000)
    assert choice.plan in plans
    assert {*choice.seconds, *choice.discarded} == {plan.describe() for plan in plans}
    assert not any(reason.startswith(("wrong", "fails")) for reason in choice.discarded.values())
    after = facts(model)
    assert [name for name in before if not same(before[name], after[name])] == []
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


def test_it_is_a_trial(trial):
    assert isinstance(trial, Trial)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "pictures", "size"),
    [
        ("lenet5", 64, 28),
        ("small_convnet", 32, 8),
        ("resnet20", 16, 32),
        ("resnet18", 16, 96),
        ("mobilenet_v2", 16, 96),
        ("vgg16", 8, 64),
    ],
)
def test_bfloat16_is_found_right_for_our_networks(name, pictures, size):
    torch.manual_seed(0)
    channels = 1 if name == "lenet5" else 3
    model = prepare(create_model(name, in_channels=channels, num_classes=10, image_size=(size, size)), BASE)
    images, classes = torch.rand(pictures, channels, size, size), torch.randint(10, (pictures,))
    trial = StepTrial(model, lambda network, plan: functional.cross_entropy(forward_train(network, images, plan)["logits"], classes))
    choice = choose_plan(trial, candidates(BASE), steps=10_000)
    assert not any(reason.startswith(("wrong", "fails")) for reason in choice.discarded.values()), choice.discarded
