"""Adversarial training: the perturbed pictures against an attack by hand, and all that it must leave as it was."""

from dataclasses import replace

import pytest
import torch
from torch import nn

import neocog
from neocog.attack.balls import distances
from neocog.attack.pgd import PGDOptions, pgd
from neocog.batch import Batch
from neocog.engine import Plan
from neocog.engine.plan import default_plan
from neocog.errors import RecipeError, UsageError
from neocog.models import create_model
from neocog.random import generator
from neocog.recipe import Recipe, read_recipe, recipe_from_table, recipe_to_toml
from neocog.targets import Cleans, Labels
from neocog.tasks.classify import Classify, ClassifyOptions
from neocog.training.adversarial import ADVERSARIES, adversary_of
from training.kills import results

CLASSES = 10
NAMES = tuple(map(str, range(CLASSES)))
PLANS = [Plan(), Plan(layout="channels_last", precision="bfloat16")]


def task():
    return Classify(ClassifyOptions(), NAMES)


def batch(count=6, *, share=None, pixels=None):
    draws = torch.Generator().manual_seed(0)
    levels = torch.randint(0, 256, (count, 1, 28, 28), generator=draws, dtype=torch.uint8) if pixels is None else pixels
    classes, others = (torch.randint(0, CLASSES, (count,), generator=draws) for _ in range(2))
    labels = Labels(classes, classes.clone() if share is None else others, torch.ones(count) if share is None else share)
    return Batch(levels, labels, torch.arange(50, 50 + count), torch.tensor([[28, 28]] * count), torch.eye(3).repeat(count, 1, 1))


def network(dropout=0.3):
    torch.manual_seed(0)
    return create_model("small_convnet", num_classes=CLASSES, in_channels=1, image_size=(28, 28), width=4, dropout=dropout)


def adversary(name="pgd", **options):
    return adversary_of(Recipe(adversarial=name, adversarial_options=options, seed=7), task())


@pytest.mark.parametrize("name", ADVERSARIES)
@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.precision)
def test_pictures_move_inside_the_ball_and_raise_the_loss(name, norm, plan):
    model, clean = network(), batch(24)
    epsilon = 0.1 if norm == "linf" else 1.5
    found = adversary(name, epsilon=epsilon, attack_norm=norm).attacked(model, plan, clean, epoch=0, step=0)
    assert float(distances(found.images, clean.images, norm).max()) <= epsilon
    assert 0 <= float(found.images.min()) <= float(found.images.max()) <= 1
    model.eval()
    objective = task().objective(model, clean)
    assert float(objective.loss(found.images).detach().mean()) > float(objective.loss(clean.images).detach().mean())
    assert torch.equal(found.targets.classes, clean.targets.classes)
    assert torch.equal(found.keys, clean.keys)


@pytest.mark.parametrize(
    ("name", "options", "attack"),
    [
        ("fgsm", {"epsilon": 0.1}, PGDOptions(epsilon=0.1, steps=1, step=1.25, stop_early=False)),
        ("pgd", {"epsilon": 0.05, "attack_steps": 3}, PGDOptions(epsilon=0.05, steps=3, stop_early=False)),
    ],
)
def test_it_is_the_attack_on_the_network_in_evaluation_mode(name, options, attack):
    model, clean = network(), batch()
    found = adversary(name, **options).attacked(model.train(), Plan(), clean, epoch=2, step=11)
    draws = generator(7, "adversarial", 2, 11, 50)
    expected = pgd(task().objective(model.eval(), clean), clean.images, attack, generator=draws)
    torch.testing.assert_close(found.images, expected, rtol=0, atol=0)


def test_the_fast_form_is_one_step_of_wong_rice_and_kolter():
    """delta is drawn evenly from the cube, moved by 1.25 epsilon along the sign of the gradient, and clipped."""
    model, clean, epsilon = network(dropout=0.0).eval(), batch(), 0.1
    found = adversary("fgsm", epsilon=epsilon).attacked(model, Plan(), clean, epoch=0, step=0)
    change = (found.images - clean.images).abs()
    inside = (clean.images > epsilon) & (clean.images < 1 - epsilon)
    # From a start u in [-e, e] a step of 1.25 e ends at e unless u < -0.25 e, which three of eight starts are.
    at_the_border = (change[inside] > epsilon - 1e-6).float().mean()
    assert float(at_the_border) == pytest.approx(5 / 8, abs=0.03)


def test_modes_statistics_gradients_and_weights_stay():
    model = network().train()
    frozen = next(module for module in model.modules() if isinstance(module, nn.BatchNorm2d))
    frozen.eval()
    modes = [module.training for module in model.modules()]
    before = {key: value.clone() for key, value in model.state_dict().items()}
    state = torch.get_rng_state()
    adversary().attacked(model, Plan(), batch(), epoch=0, step=0)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    assert torch.equal(torch.get_rng_state(), state)


def test_modes_stay_when_the_attack_fails():
    class Fails(Classify):
        def objective(self, network, asked, targeted=None):
            raise MemoryError

    model = network().train()
    with pytest.raises(MemoryError):
        adversary_of(Recipe(adversarial="pgd"), Fails(ClassifyOptions(), NAMES)).attacked(model, Plan(), batch(), epoch=0, step=0)
    assert all(module.training for module in model.modules())


def test_every_step_and_every_part_of_it_draws_anew():
    model, clean = network(), batch()
    makes = adversary(epsilon=0.1, attack_steps=1, attack_step=0.01)
    first, again = (makes.attacked(model, Plan(), clean, epoch=0, step=0).images for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, makes.attacked(model, Plan(), clean, epoch=0, step=1).images)
    other_part = replace(clean, keys=clean.keys + 1)
    assert not torch.equal(first, makes.attacked(model, Plan(), other_part, epoch=0, step=0).images)


def test_of_a_mixed_picture_the_larger_share_is_asked_about():
    model, share = network(), torch.tensor([0.9, 0.2, 0.5, 0.4, 1.0, 0.0])
    mixed = batch(share=share)
    larger = torch.where(share >= 0.5, mixed.targets.classes, mixed.targets.others)
    whole = replace(mixed, targets=Labels(larger, larger, torch.ones(6)))
    makes = adversary(epsilon=0.1)
    found = makes.attacked(model, Plan(), mixed, epoch=0, step=0)
    torch.testing.assert_close(found.images, makes.attacked(model, Plan(), whole, epoch=0, step=0).images, rtol=0, atol=0)
    assert torch.equal(found.targets.share, share)


def test_padding_stays_as_it_is():
    model, clean = network(), batch()
    valid = torch.zeros(6, 28, 28, dtype=torch.bool)
    valid[:, :20, :15] = True
    found = adversary(epsilon=0.1).attacked(model, Plan(), replace(clean, valid=valid), epoch=0, step=0)
    moved = (found.images != clean.images)[:, 0]
    assert not moved[~valid].any()
    assert moved[valid].float().mean() > 0.9


def test_targets_that_are_no_labels_pass_as_they_are():
    from neocog.training.adversarial import _with_one_class

    clean = replace(batch(), targets=Cleans(torch.zeros(6, 1, 28, 28)))
    assert _with_one_class(clean) is clean


def train(out, **choices):
    settings = {"model": "small_convnet", "width": 4, "epochs": 1, "batch_size": 128, "speed": "exact", "augment": (), "progress": False}
    return neocog.train("digits", out=out, **{**settings, **choices})


def test_a_recipe_says_it_and_a_run_keeps_it(tmp_path):
    run = train(tmp_path / "run", adversarial="pgd", epsilon=0.1, attack_steps=2)
    recipe = read_recipe(tmp_path / "run" / "recipe.toml")
    assert (recipe.adversarial, recipe.adversarial_options) == ("pgd", {"epsilon": 0.1, "attack_steps": 2})
    assert recipe_from_table({"adversarial": {"name": "fgsm", "epsilon": 0.2}}).adversarial_options == {"epsilon": 0.2}
    assert 'name = "pgd"' in recipe_to_toml(run.recipe)
    assert results(tmp_path / "run") != results(train(tmp_path / "plain").path)


def test_a_step_in_parts_is_attacked_part_by_part(tmp_path):
    run = train(tmp_path / "run", adversarial="fgsm", epsilon=0.1, micro_batch=50)
    assert run.metrics["test/accuracy"] > 0.1


@pytest.mark.slow
def test_the_network_bears_more(tmp_path):
    """After some epochs the trained one is fooled less often than a plain one, at the radius that it was trained at."""
    settings = {"epochs": 6, "width": 8, "batch_size": 64, "seed": 1}
    plain, hardened = train(tmp_path / "plain", **settings), train(tmp_path / "hard", adversarial="fgsm", epsilon=0.15, **settings)
    right = {}
    for name, run in (("plain", plain), ("hardened", hardened)):
        from neocog.progress import Silent

        asked = run._ask(None, "test", Silent())
        digits = asked.material.loader.batch(asked.rows)
        objective = run.trained.task.objective(run.trained.model, digits)
        found = pgd(objective, digits.images, PGDOptions(epsilon=0.15, steps=20), generator=torch.Generator().manual_seed(0))
        right[name] = float((~objective.fooled(found)).float().mean())
    assert right["hardened"] > right["plain"] + 0.1


@pytest.mark.parametrize(
    ("choices", "error", "expected", "found"),
    [
        ({"adversarial": "pgd", "epsilon": 0}, RecipeError, "epsilon to be a number above 0", "0.0"),
        ({"adversarial": "pgd", "attack_steps": 0}, RecipeError, "attack_steps to be a whole number of at least 1", "0"),
        ({"adversarial": "square"}, RecipeError, "'fgsm' or 'pgd' for adversarial of the recipe", "'square'"),
        (
            {"adversarial_options": {"epsilon": 0.1}},
            UsageError,
            "the name of an attack beside its options",
            "epsilon alone",
        ),
        (
            {"adversarial": "pgd", "model": "perceptron"},
            UsageError,
            "a network that learns by gradient, for adversarial training",
            "perceptron",
        ),
        (
            {"adversarial": "fgsm", "attack_steps": 3},
            UsageError,
            "a field of the recipe, or an option of the chosen task, model, optimizer, schedule, attack or augmentations",
            "'attack_steps'",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(choices, error, expected, found, tmp_path):

    with pytest.raises(error) as caught:
        neocog.train("digits", out=tmp_path / "run", progress=False, **choices)
    assert (caught.value.expected, caught.value.found) == (expected, found)
    assert not (tmp_path / "run").exists()


def test_the_forecast_counts_the_attack(tmp_path, monkeypatch):
    """Every dry step is attacked; what an attack keeps is not counted as memory of the step."""
    from neocog.training import forecast
    from neocog.training.adversarial import Adversary

    seen = []
    attacked = Adversary.attacked

    def count(self, model, plan, batch, *, epoch, step):
        seen.append(len(batch))
        return attacked(self, model, plan, batch, epoch=epoch, step=step)

    memory = {}
    kept = forecast._kept_per_picture

    def note(job, model, plan):
        before = len(seen)
        memory["each"] = kept(job, model, plan)
        assert len(seen) == before
        return memory["each"]

    monkeypatch.setattr(Adversary, "attacked", count)
    monkeypatch.setattr(forecast, "_kept_per_picture", note)
    train(tmp_path / "run", adversarial="fgsm", epsilon=0.1, epochs=3)
    assert len(seen) == 2 + 3 * 12
    assert memory["each"] > 0


@pytest.mark.slow
def test_the_probe_takes_the_attacks_time_and_judges_every_plan_on_the_same_pictures(tmp_path, monkeypatch):
    """The plans differ in what they make of an attack; the losses that are compared are of one attack's pictures."""
    from neocog.training import planning
    from neocog.training.adversarial import Adversary

    probed, attacks = {}, []
    attacked = Adversary.attacked

    def count(self, model, plan, batch, *, epoch, step):
        attacks.append(plan)
        return attacked(self, model, plan, batch, epoch=epoch, step=step)

    def choose(trial, plans, *, steps, key):
        before = len(attacks)
        for plan in plans[:2]:
            trial.prepare(plan)
            probed[plan] = float(trial.step())
        probed["attacks"] = len(attacks) - before
        probed["key"] = key
        return planning.Choice(plans[0], source="exact")

    monkeypatch.setattr(Adversary, "attacked", count)
    monkeypatch.setattr(planning, "choose_plan", choose)
    settings = {"speed": "auto", "dropout": 0.0}
    train(tmp_path / "run", adversarial="fgsm", epsilon=0.1, **settings)
    first, second = (loss for plan, loss in probed.items() if isinstance(plan, Plan))
    assert first == pytest.approx(second, rel=1e-4)
    assert probed["attacks"] == 2
    hardened = probed["key"]
    train(tmp_path / "other", adversarial="fgsm", epsilon=0.2, **settings)
    train(tmp_path / "plain", **settings)
    assert len({hardened, probed["key"]}) == 2


@pytest.mark.slow
@pytest.mark.parametrize("fault", [{"call": "step", "time": 18}, {"file": "step-", "moment": "half", "time": 2}])
def test_a_kill_changes_nothing_in_bfloat16_and_in_parts(commands, tmp_path, fault):
    plan = {
        **default_plan().to_dict(),
        "device": "cpu",
        "threads": 1,
        "layout": "channels_last",
        "precision": "bfloat16",
        "micro_batch": 50,
    }
    network = ("--model", "small_convnet", "--width", "4", "--dropout", "0.2", "--augment", "pad_and_crop", "mixup")
    attack = ("--adversarial", "pgd", "--epsilon", "8/255", "--attack-steps", "2")
    command = ("train", "digits", *network, *attack, "--epochs", "3", "--batch-size", "128")
    whole, killed = tmp_path / "whole" / "run", tmp_path / "killed" / "run"
    assert commands.run(*command, "--out", whole, plan=plan) == 0
    assert commands.run(*command, "--out", killed, plan=plan, fault=fault) == -9
    assert commands.run("resume", killed, plan=plan) == 0
    assert results(killed) == results(whole)
