"""The denoising task: its noise, its answers at the source's depth, and its question for attacks."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neocog.augment import AUGMENTATIONS, augment
from neocog.batch import Batch
from neocog.errors import RecipeError, UsageError
from neocog.metrics.restoration import psnr
from neocog.models import create_model
from neocog.noise import NOISES
from neocog.options import options_of
from neocog.targets import Clean, Cleans, Label, Prediction
from neocog.tasks import TASKS
from neocog.tasks.denoise import Denoise, DenoiseOptions, quantised


def task(**options):
    return Denoise(options_of(DenoiseOptions, options, "the task denoise"), ())


def pictures(count=3, size=(24, 20), channels=1, seed=0):
    """Smooth pictures of 8 bits."""
    numbers = np.random.default_rng(seed).normal(size=(count, channels, *size)).cumsum(axis=2).cumsum(axis=3)
    low, high = numbers.min(axis=(1, 2, 3), keepdims=True), numbers.max(axis=(1, 2, 3), keepdims=True)
    return torch.from_numpy(((numbers - low) / (high - low) * 255).round().astype(np.uint8))


def batch_of(clean, *, disturbed=False, keys=None, pixels=None):
    count, _, height, width = clean.shape
    sizes = torch.tensor([[height, width]] * count)
    keys = torch.arange(count) if keys is None else torch.tensor(keys)
    if pixels is None:
        pixels = clean if clean.dtype == torch.uint8 else clean.to(torch.float32) / 65535
    return Batch(pixels, Cleans(clean, disturbed), keys, sizes, torch.eye(3).repeat(count, 1, 1))


@pytest.mark.parametrize("noise", NOISES)
def test_in_training_the_noise_goes_by_seed_epoch_and_key_alone(noise):
    clean, denoise = pictures(), task(noise=noise)
    seen = denoise.disturb(batch_of(clean), 5, 2)
    assert seen.targets.disturbed
    assert torch.equal(seen.targets.pixels, clean)
    alone = denoise.disturb(batch_of(clean[1:2], keys=[1]), 5, 2)
    assert torch.equal(alone.pixels[0], seen.pixels[1])
    for seed, epoch, key in ((6, 2, 1), (5, 3, 1), (5, 2, 101)):
        assert not torch.equal(denoise.disturb(batch_of(clean[1:2], keys=[key]), seed, epoch).pixels, alone.pixels)


@pytest.mark.parametrize("noise", NOISES)
def test_in_evaluation_the_noise_goes_by_the_picture_alone(noise):
    clean, denoise = pictures(), task(noise=noise)
    seen = denoise.disturb(batch_of(clean), 5, None)
    other = denoise.disturb(batch_of(clean[[2]], keys=[77]), 6, None)
    assert torch.equal(other.pixels[0], seen.pixels[2])
    assert not torch.equal(seen.pixels[0], seen.pixels[2])


def test_padding_changes_no_noise_in_evaluation():
    clean = pictures(2, (12, 10))
    padded = torch.zeros(2, 1, 15, 13, dtype=torch.uint8)
    padded[:, :, :12, :10] = clean
    batch = Batch(padded, Cleans(padded, False), torch.arange(2), torch.tensor([[12, 10]] * 2), torch.eye(3).repeat(2, 1, 1))
    assert torch.equal(task().disturb(batch, 0, None).pixels[:, :, :12, :10], task().disturb(batch_of(clean), 0, None).pixels)


def test_what_has_its_noise_gets_no_more():
    for batch in (
        batch_of(pictures(), disturbed=True),
        Batch(pictures(), None, torch.arange(3), torch.full((3, 2), 20), torch.eye(3).repeat(3, 1, 1)),
    ):
        assert task().disturb(batch, 0, 0) is batch
    once = task().disturb(batch_of(pictures()), 0, 0)
    assert task().disturb(once, 0, 0) is once


def test_colour_and_geometry_move_the_clean_picture_with_the_noisy_one():
    clean = pictures(4, (20, 20), channels=3)
    members = {name: AUGMENTATIONS[name].Options() for name in ("flip", "quarter_turn", "color_jitter")}
    batch = augment(batch_of(clean), members, fit="crop", size=(12, 12), geometry="exact", seed=1, epoch=0, step=0)
    noisy = task(sigma=(2.0,)).disturb(batch, 0, 0)
    known = noisy.targets.pixels if noisy.targets.pixels.is_floating_point() else noisy.targets.pixels / 255
    assert float((noisy.pixels - known).abs().max()) < 6 * 2 / 255


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**16), st.integers(8, 20), st.sampled_from([8, 16]))
def test_patches_keep_the_values_of_their_pixels(seed, side, depth):
    """Whatever is drawn, a patch is a window of the picture, flipped and turned."""
    numbers = torch.arange(21 * 23).reshape(1, 1, 21, 23) * (1 if depth == 16 else 0.5)
    clean = numbers.to(torch.uint16 if depth == 16 else torch.uint8)
    members = {name: AUGMENTATIONS[name].Options() for name in ("flip", "quarter_turn")}
    batch = augment(batch_of(clean), members, fit="crop", size=(side, side), geometry="exact", seed=seed, epoch=0, step=0)
    patch = batch.targets.pixels[0, 0].to(torch.int64)
    whole = clean[0, 0].to(torch.int64)
    windows = [
        torch.rot90(window, turn) for window in whole.unfold(0, side, 1).unfold(1, side, 1).reshape(-1, side, side) for turn in range(4)
    ]
    assert any(torch.equal(patch, window) or torch.equal(patch, window.flip(1)) for window in windows)
    seen = batch.pixels[0, 0] * (65535 if depth == 16 else 1)
    torch.testing.assert_close(seen.to(torch.float64), patch.to(torch.float64), rtol=0, atol=0.01)


@pytest.mark.parametrize("depth", [8, 16])
def test_answers_are_in_the_pictures_own_depth_rounded_and_cut_off(depth):
    clean = pictures(1, (3, 2)) if depth == 8 else (pictures(1, (3, 2)).to(torch.int32) * 257).to(torch.uint16)
    peak = 255 if depth == 8 else 65535
    outputs = torch.tensor([[[[-0.2, 1.3], [0.5, 100.4 / peak], [100.6 / peak, 1.0]]]])
    (prediction,) = task().decode(outputs, batch_of(clean))
    assert prediction.answer.picture.to(torch.int64).tolist() == [[[0, peak], [round(peak / 2), 100], [101, peak]]]
    assert prediction.answer.picture.dtype == clean.dtype


def test_without_a_clean_picture_the_depth_is_that_of_the_pixels():
    batch = Batch(torch.rand(1, 1, 3, 2), None, torch.arange(1), torch.tensor([[3, 2]]), torch.eye(3)[None])
    assert task().decode(torch.rand(1, 1, 3, 2), batch)[0].answer.picture.dtype == torch.uint16
    batch = Batch(pictures(1, (3, 2)), None, torch.arange(1), torch.tensor([[3, 2]]), torch.eye(3)[None])
    assert task().decode(torch.rand(1, 1, 3, 2), batch)[0].answer.picture.dtype == torch.uint8


def test_metrics_are_those_of_the_rounded_pictures():
    clean = pictures(2)
    noisy = task(sigma=(40.0,)).disturb(batch_of(clean), 0, None)
    sums = task().metrics()
    task().compare(sums, noisy.images * 0.5 + clean / 510, noisy, lambda key: Clean(clean[key]))
    found = sums.compute()
    expected = np.mean([psnr(picture, quantised(image, 8)) for picture, image in zip(clean, noisy.images, strict=True)])
    assert found["noisy_psnr"] == pytest.approx(expected)
    assert found["psnr"] > found["noisy_psnr"] + 5


def test_the_losses_are_chosen_by_name():
    clean = pictures()
    batch = task().disturb(batch_of(clean), 0, 0)
    model = create_model("dncnn", in_channels=1, depth=3, width=2)
    values = {
        name: float(task(loss=name).loss(model, {"logits": batch.images}, batch)["total"]) for name in ("squared", "l1", "charbonnier")
    }
    difference = batch.images - clean / 255
    assert values["squared"] == pytest.approx(float(difference.square().sum() / 3), rel=1e-5)
    assert values["l1"] == pytest.approx(float(difference.abs().sum() / 3), rel=1e-5)
    assert values["l1"] < values["charbonnier"] < values["l1"] * 1.01


@pytest.fixture(scope="module")
def trained():
    """A small network that has learnt something."""
    torch.manual_seed(0)
    model, denoise, clean = create_model("dncnn", in_channels=1, depth=4, width=8), task(), pictures(16, (32, 32))
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    for epoch in range(60):
        batch = denoise.disturb(batch_of(clean), 0, epoch)
        optimizer.zero_grad()
        denoise.loss(model, model.forward_train(batch.images), batch)["total"].backward()
        optimizer.step()
    return model.eval()


def test_a_plain_gradient_step_on_the_images_lowers_psnr(trained):
    denoise, clean = task(), pictures(4, (32, 32), seed=9)
    batch = denoise.disturb(batch_of(clean), 0, None)
    objective = denoise.objective(trained, batch)
    images = batch.images.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(objective.loss(images).sum(), images)
    attacked = (batch.images + 8 / 255 * gradient.sign()).clamp(0, 1)
    assert (objective.score(attacked) < objective.score(batch.images) - 1).all()
    assert objective.fooled(attacked).all()
    assert not objective.fooled(batch.images).any()
    before, after = task().metrics(), task().metrics()
    with torch.no_grad():
        denoise.compare(before, trained(batch.images), batch, lambda key: Clean(clean[key]))
        denoise.compare(after, trained(attacked), batch, lambda key: Clean(clean[key]))
    assert after.compute()["psnr"] < before.compute()["psnr"] - 1


def test_without_clean_pictures_the_first_answer_stands_for_them(trained):
    images = pictures(2, (16, 16), seed=3) / 255
    batch = Batch(images, None, torch.arange(2), torch.tensor([[16, 16]] * 2), torch.eye(3).repeat(2, 1, 1))
    objective = task().objective(trained, batch)
    assert objective.loss(images).tolist() == pytest.approx([0, 0], abs=1e-10)
    assert objective.scores(images).shape == (2, 1)
    assert objective.fooled(torch.rand_like(images)).all()


def test_there_is_no_class_to_aim_at(trained):
    with pytest.raises(UsageError) as caught:
        task().objective(trained, batch_of(pictures()), targeted=3)
    assert str(caught.value) == ("expected: a question about the picture as a whole\nfound: the class 3\nto do: leave the target class out")


def test_drawings_show_before_after_and_what_lies_between():
    clean, noisy = pictures(2, channels=1)
    drawn = task().draw(noisy, Prediction(Clean(clean)))
    more = task().draw(noisy, Prediction(Clean(clean)), Clean(clean))
    assert drawn.dtype == torch.uint8
    assert more.shape[2] > drawn.shape[2]
    with pytest.raises(TypeError):
        task().draw(noisy, Prediction(Label(0)))


def test_of_a_large_picture_the_middle_is_drawn():
    noisy = torch.zeros(1, 2100, 900, dtype=torch.uint8)
    noisy[:, 794:1306, 194:706] = pictures(1, (512, 512))[0]
    clean = Clean(noisy // 2)
    drawn = task().draw(noisy, Prediction(clean), clean)
    middle = noisy[:, 794:1306, 194:706]
    window = task().draw(middle, Prediction(Clean(middle // 2)), Clean(middle // 2))
    assert drawn.shape[2] == window.shape[2]
    assert torch.equal(drawn[:, :528], window[:, :528])  # all but the captions


def test_a_clean_picture_is_drawn_with_the_noise_of_its_evaluation():
    clean, denoise = pictures(1), task()
    noisy = quantised(denoise.disturb(batch_of(clean), 3, None).pixels[0], 8)
    answer = Prediction(Clean(clean[0]))
    drawn = denoise.draw(clean[0], answer, Clean(clean[0], disturbed=False))
    assert torch.equal(drawn, denoise.draw(noisy, answer, Clean(clean[0])))


def test_the_options_are_those_of_the_task_and_of_every_noise():
    assert task(noise="poisson", peak=(4.0,)).level == NOISES["poisson"].Options((4.0,))
    assert task(sigma=(0.0, 55.0)).deviation is None
    assert task().deviation == pytest.approx(25 / 255)
    assert task(patches_per_picture=7).showings == 7
    assert TASKS["denoise"].Options is DenoiseOptions


class TestOtherNoise:
    def test_a_level_that_is_not_given_stays_with_its_kind(self):
        own = task(sigma=(0.0, 55.0), loss="l1", patches_per_picture=3)
        assert own.with_noise({}).options == own.options
        assert own.with_noise({"noise": "gaussian"}).options == own.options
        other = own.with_noise({"sigma": (15.0,)})
        assert other.noise_choices == {"noise": "gaussian", "sigma": (15.0,)}
        assert other.deviation == pytest.approx(15 / 255)
        assert (other.options.loss, other.options.patches_per_picture) == ("l1", 3)
        assert own.noise_choices == {"noise": "gaussian", "sigma": (0.0, 55.0)}  # as it was

    def test_another_kind_begins_at_its_usual_level(self):
        own = task(sigma=(0.0, 55.0))
        assert own.with_noise({"noise": "poisson"}).noise_choices == {"noise": "poisson", "peak": (30.0,)}
        assert own.with_noise({"noise": "jpeg", "jpeg_quality": [10, 40]}).noise_choices == {"noise": "jpeg", "jpeg_quality": (10, 40)}
        assert task(noise="poisson", peak=(5.0,)).with_noise({"noise": "gaussian"}).noise_choices == {"noise": "gaussian", "sigma": (25.0,)}

    @pytest.mark.parametrize("noise", NOISES)
    def test_pictures_are_disturbed_as_by_a_task_of_that_noise(self, noise):
        batch = batch_of(pictures())
        found = task(noise="jpeg" if noise == "gaussian" else "gaussian").with_noise({"noise": noise}).disturb(batch, 0, None).pixels
        assert torch.equal(found, task(noise=noise).disturb(batch, 0, None).pixels)

    @pytest.mark.parametrize(
        ("choices", "error"),
        [
            (
                {"peak": (30.0,)},  # the usual level, but given
                "expected: options of the noise gaussian\nfound: peak of poisson\nto do: leave it out, or choose --noise poisson",
            ),
            ({"noise": "gausian"}, "expected: the name of a kind of noise\nfound: 'gausian'\nto do: did you mean gaussian?"),
            (
                {"sigma": 15},
                "expected: a list of numbers for sigma of the noise\nfound: 15\nto do: give a value of that kind, as [25.0]",
            ),
        ],
    )
    def test_wrong_choices(self, choices, error):
        with pytest.raises(RecipeError) as caught:
            task().with_noise(choices)
        assert str(caught.value) == error


def test_the_mean_of_answers_is_that_of_their_pixels():
    first, second = torch.rand(2, 1, 5, 4), torch.rand(2, 1, 5, 4)
    kept = first.clone()
    torch.testing.assert_close(task().average([first, second, second]), (first + 2 * second) / 3)
    assert torch.equal(task().average([first]), first)
    assert torch.equal(first, kept)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"noise": "gausian"}, "expected: the name of a kind of noise\nfound: 'gausian'\nto do: did you mean gaussian?"),
        (
            {"peak": (5.0,)},
            "expected: options of the noise gaussian\nfound: peak of poisson\nto do: leave it out, or choose --noise poisson",
        ),
        (
            {"sigma": (55.0, 5.0)},
            "expected: sigma to be a list of numbers from 0 to 255, the lower first\nfound: (55.0, 5.0)\n"
            "to do: give sigma a list of numbers from 0 to 255, the lower first; the default is [25.0]",
        ),
        (
            {"sigma": (1.0, 2.0, 3.0)},
            "expected: sigma to be one value or a range\nfound: 3 values\nto do: give sigma one value, or the lowest and highest",
        ),
    ],
)
def test_wrong_options(options, error):
    with pytest.raises(RecipeError) as caught:
        task(**options)
    assert str(caught.value) == error
