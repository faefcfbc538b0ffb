"""Against torchattacks and foolbox on networks that were trained, and on published weights where they are."""

import copy
import warnings

import pytest
import torch
from torch import nn

from attack.networks import known_digits, objective_of, taught
from neocog.attack import ATTACKS
from neocog.attack.ascent import judge
from neocog.attack.balls import distances


class Scaled(nn.Module):
    """A network that takes images in [0, 1], as both rivals want it."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.eval()  # torchattacks puts all into the mode that the outermost module was in

    def forward(self, images):
        return self.network(self.network.preprocess.normalise(images))


@pytest.fixture(scope="module")
def torchattacks():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("torchattacks")


@pytest.fixture(scope="module")
def foolbox():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("foolbox")


@pytest.fixture(scope="module")
def known():
    network = copy.deepcopy(taught())  # the rivals leave gradients behind
    return network, *known_digits(network, 40)


def ours(name, network, images, classes, **options):
    member = ATTACKS[name]
    objective = objective_of(network, classes)
    return member.attack(objective, images, member.Options(**options), generator=torch.Generator().manual_seed(0))


def test_one_step_is_torchattacks_one_step(torchattacks, known):
    network, images, classes = known
    theirs = torchattacks.FGSM(Scaled(network), eps=8 / 255)(images, classes)
    torch.testing.assert_close(ours("fgsm", network, images, classes, epsilon=8 / 255), theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["pgd", "pgd_l2", "iterative_fgsm", "momentum_fgsm"])
def test_many_steps_are_torchattacks_steps(torchattacks, known, name):
    network, images, classes = known
    epsilon = 16 / 255
    if name == "pgd_l2":  # so pale that no value ends at 0 or 1: there the two part, ours keeps more of the length
        epsilon, images = 0.2, 0.35 + 0.3 * images
    common = {"eps": epsilon, "alpha": epsilon / 4, "steps": 7}
    rival = {
        "pgd": lambda: torchattacks.PGD(Scaled(network), random_start=False, **common),
        "pgd_l2": lambda: torchattacks.PGDL2(Scaled(network), random_start=False, **common),
        "iterative_fgsm": lambda: torchattacks.BIM(Scaled(network), **common),
        "momentum_fgsm": lambda: torchattacks.MIFGSM(Scaled(network), decay=0.9, **common),
    }[name]()
    options = {"epsilon": epsilon, "step": 0.25, "steps": 7, "stop_early": False}
    options |= {"random_start": False} if name.startswith("pgd") else {}
    options |= {"norm": "l2"} if name == "pgd_l2" else {}
    options |= {"decay": 0.9} if name == "momentum_fgsm" else {}
    own, theirs = ours(name.removesuffix("_l2"), network, images, classes, **options), rival(images, classes)
    near = (own - theirs).abs().flatten(1).amax(dim=1) < 1e-4
    assert near.sum() >= len(images) - 2  # a gradient of nearly 0 may turn its sign by rounding


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_deepfool_goes_as_far_as_foolbox(foolbox, known, norm):
    network, images, classes = known
    rival = foolbox.attacks.L2DeepFoolAttack() if norm == "l2" else foolbox.attacks.LinfDeepFoolAttack()
    theirs = _foolbox(foolbox, rival, network, images, classes)
    own = ours("deepfool", network, images, classes, norm=norm)
    assert judge(objective_of(network, classes), own).all()
    ratio = distances(own, images, norm).median() / distances(theirs, images, norm).median()
    assert abs(ratio - 1) < 0.05


def test_carlini_and_wagner_find_as_little_as_foolbox(foolbox, known):
    network, images, classes = known
    images, classes = images[:12], classes[:12]
    rival = foolbox.attacks.L2CarliniWagnerAttack(binary_search_steps=5, steps=100, initial_const=0.1, stepsize=0.05)
    theirs = _foolbox(foolbox, rival, network, images, classes)
    own = ours("carlini_wagner", network, images, classes, searches=5, steps=100, initial_weight=0.1, learning_rate=0.05)
    assert judge(objective_of(network, classes), own).all()
    ratio = distances(own, images, "l2").median() / distances(theirs, images, "l2").median()
    assert abs(ratio - 1) < 0.05


@pytest.mark.slow
def test_the_oldest_search_finds_little_more_than_the_best(known):
    network, images, classes = known
    images, classes = images[:12], classes[:12]
    first = ours("lbfgs", network, images, classes)
    best = ours("carlini_wagner", network, images, classes, searches=5, steps=100, initial_weight=0.1)
    assert judge(objective_of(network, classes), first).all()
    assert distances(first, images, "l2").median() < 1.5 * distances(best, images, "l2").median()


def test_squares_do_as_well_as_torchattacks_squares(torchattacks, known):
    network, images, classes = known
    torch.manual_seed(0)
    epsilon = 0.08
    theirs = torchattacks.Square(Scaled(network), norm="Linf", eps=epsilon, n_queries=300, p_init=0.8)(images, classes)
    objective = objective_of(network, classes)
    own = judge(objective, ours("square", network, images, classes, epsilon=epsilon, queries=300)).sum()
    assert abs(int(own) - int(judge(objective, theirs).sum())) <= 6
    assert own > judge(objective, images + epsilon * (2 * torch.rand(images.shape) - 1)).sum() + 3  # noise of that size does little


@pytest.mark.slow
@pytest.mark.realdata
def test_forty_steps_fool_as_many_pictures_whatever_the_seed(torchattacks, real_data):
    from neocog.data.open import open_dataset
    from neocog.models import create_model

    network = create_model("resnet20", weights="cifar10").eval()
    dataset = open_dataset("cifar10")
    rows = [index for index in range(len(dataset)) if dataset.given_split(index) == "test"][:300]
    images = torch.stack([dataset.picture(row) for row in rows]).float() / 255
    classes = dataset.class_indices()[torch.tensor(rows)]
    objective, member, epsilon = objective_of(network, classes), ATTACKS["pgd"], 1 / 255
    shares = []
    for seed in range(5):
        options = member.Options(epsilon=epsilon, steps=40)
        attacked = member.attack(objective, images, options, generator=torch.Generator().manual_seed(seed))
        shares.append(float(judge(objective, attacked).double().mean()))
    torch.manual_seed(0)
    rival = torchattacks.PGD(Scaled(network), eps=epsilon, alpha=2.5 / 40 * epsilon, steps=40)(images, classes)
    assert max(shares) - min(shares) <= 0.01
    assert abs(sum(shares) / 5 - float(judge(objective, rival).double().mean())) <= 0.01


def _foolbox(foolbox, attack, network, images, classes):
    model = foolbox.PyTorchModel(Scaled(network).eval(), bounds=(0, 1))
    _, clipped, _ = attack(model, images, classes, epsilons=None)
    return clipped
