"""Every corruption against another library or a closed form, and what all of them have in common."""

import io
import itertools

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from skimage import color

from neocog.attack.corruptions import CORRUPTIONS, STRENGTHS, corrupted
from neocog.attack.corruptions.blur import blurred
from neocog.attack.corruptions.brightness import brightened
from neocog.attack.corruptions.rotation import turned
from neocog.attack.corruptions.shift import moved
from neocog.errors import UsageError

GREY_LEVEL = 1 / 255


def images(count=4, channels=3, height=20, width=26, seed=0):
    """Smooth pictures on the levels of a file."""
    draws = np.random.default_rng(seed)
    rough = draws.random((count, channels, height, width))
    smooth = ndimage.gaussian_filter(rough, (0, 0, 2, 2))
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    return torch.from_numpy((smooth * 255).round() / 255).float()


def keys(count):
    return torch.arange(100, 100 + count)


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_corruption_stays_in_range_and_on_the_levels_of_a_file(name, channels):
    clean = images(channels=channels)
    for strength in STRENGTHS:
        spoilt = corrupted(name, clean, strength, keys(4))
        assert spoilt.shape == clean.shape
        assert 0 <= float(spoilt.min()) <= float(spoilt.max()) <= 1
        torch.testing.assert_close(spoilt * 255, (spoilt * 255).round(), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("side", [32, 72])
def test_a_stronger_corruption_leads_further_away(name, side):
    clean = images(8, 3, side, side)
    distances = [float((corrupted(name, clean, strength, keys(8)) - clean).square().mean()) for strength in STRENGTHS]
    assert distances[0] > 0
    assert all(later > 0.98 * earlier for earlier, later in itertools.pairwise(distances))  # beyond its details a picture differs no more


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_what_becomes_of_a_picture_depends_on_its_key_and_the_seed_alone(name):
    clean = images(6)
    whole = corrupted(name, clean, 3, keys(6))
    order = torch.tensor([4, 1, 5])
    torch.testing.assert_close(corrupted(name, clean[order], 3, keys(6)[order]), whole[order], rtol=0, atol=0)
    torch.testing.assert_close(corrupted(name, clean, 3, keys(6)), whole, rtol=0, atol=0)
    if name in ("rotation", "shift", "noise"):
        assert not torch.equal(corrupted(name, clean, 3, keys(6), seed=1), whole)
        assert not torch.equal(corrupted(name, clean, 3, keys(6) + 1000), whole)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_small_and_large_images_have_their_own_amounts(name):
    member = CORRUPTIONS[name]
    assert [member.amount(strength, 64, 20) for strength in STRENGTHS] == list(member.amounts)
    assert [member.amount(strength, 64, 65) for strength in STRENGTHS] == list(member.amounts_of_large)
    assert member.unit
    assert member.summary
    assert member.source


def test_the_amounts_of_hendrycks_and_dietterich():
    assert CORRUPTIONS["noise"].amounts_of_large == (0.08, 0.12, 0.18, 0.26, 0.38)
    assert CORRUPTIONS["jpeg"].amounts_of_large == (25, 18, 15, 10, 7)
    assert CORRUPTIONS["contrast"].amounts_of_large == (0.4, 0.3, 0.2, 0.1, 0.05)
    assert CORRUPTIONS["brightness"].amounts == (0.05, 0.1, 0.15, 0.2, 0.3)
    assert CORRUPTIONS["blur"].amounts == (0.4, 0.6, 0.7, 0.8, 1.0)


@pytest.mark.parametrize("degrees", [6.0, 90.0, -30.0])
def test_a_rotation_is_scipys(degrees):
    clean = images(2)
    found = turned(clean, torch.full((2,), degrees))
    expected = ndimage.rotate(clean.numpy(), -degrees, axes=(3, 2), reshape=False, order=1, mode="reflect")
    torch.testing.assert_close(found, torch.from_numpy(expected), atol=1e-4, rtol=0)


def test_a_quarter_turn_is_exact():
    clean = images(2, 3, 16, 16)
    torch.testing.assert_close(turned(clean, torch.tensor([90.0, 0.0]))[0], clean[0].rot90(-1, (1, 2)), atol=1e-5, rtol=0)
    torch.testing.assert_close(turned(clean, torch.tensor([90.0, 0.0]))[1], clean[1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("shift", [(0, 0), (3, 0), (0, -5), (-7, 4), (60, -41)])
def test_a_shift_is_a_window_of_the_mirrored_picture(shift):
    clean = images(1, 3, 9, 11)
    x, y = shift
    wide = np.pad(clean.numpy()[0], ((0, 0), (63, 63), (66, 66)), mode="symmetric")
    expected = wide[:, 63 - y : 63 - y + 9, 66 - x : 66 - x + 11]
    torch.testing.assert_close(moved(clean, torch.tensor([shift]))[0], torch.from_numpy(expected), atol=0, rtol=0)


def test_shifts_go_in_all_directions_and_as_far_as_they_say():
    clean = torch.zeros(400, 1, 40, 40)
    clean[:, :, 20, 20] = 1
    spoilt = corrupted("shift", clean, 3, torch.arange(400))
    place = spoilt.flatten(1).argmax(dim=1)
    x, y = (place % 40 - 20).double(), (place // 40 - 20).double()
    torch.testing.assert_close(torch.hypot(x, y), torch.full_like(x, 6.0), atol=0.75, rtol=0)
    for sign_x in (x > 0, x < 0):
        for sign_y in (y > 0, y < 0):
            assert 0.15 < float((sign_x & sign_y).double().mean()) < 0.35


@pytest.mark.parametrize("deviation", [0.4, 1.0, 6.0])
def test_a_blur_is_scipys(deviation):
    clean = images(2)
    expected = ndimage.gaussian_filter(clean.double().numpy(), (0, 0, deviation, deviation), mode="nearest", truncate=4.0)
    torch.testing.assert_close(blurred(clean, deviation), torch.from_numpy(expected).float(), atol=2e-6, rtol=0)


def test_noise_has_the_deviation_that_it_says():
    grey = torch.full((8, 3, 100, 100), 0.5)
    spoilt = corrupted("noise", grey, 2, keys(8)) - grey
    assert float(spoilt.std()) == pytest.approx(0.12, rel=0.01)
    assert float(spoilt.mean()) == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize(("channels", "mode"), [(3, "RGB"), (1, "L")])
def test_jpeg_is_what_pillow_reads_of_what_it_wrote(channels, mode):
    clean = images(2, channels)
    expected = []
    for picture in (clean * 255).round().byte():
        array = picture.permute(1, 2, 0).numpy() if channels == 3 else picture[0].numpy()
        file = io.BytesIO()
        Image.fromarray(array).save(file, "JPEG", quality=50)
        read = np.asarray(Image.open(io.BytesIO(file.getvalue())).convert(mode))
        expected.append(torch.from_numpy(read.copy()).view(clean.shape[2], clean.shape[3], channels).permute(2, 0, 1))
    torch.testing.assert_close(corrupted("jpeg", clean, 4, keys(2)), torch.stack(expected).float() / 255, atol=1e-6, rtol=0)


def test_brightness_raises_the_value_of_hsv():
    clean = images(2)
    clean[0, :, 3, 4] = 0  # black has no hue
    pixels = clean.double().permute(0, 2, 3, 1).numpy()
    raised = color.rgb2hsv(pixels)
    raised[..., 2] = np.clip(raised[..., 2] + 0.2, 0, 1)
    expected = torch.from_numpy(color.hsv2rgb(raised)).permute(0, 3, 1, 2).float()
    torch.testing.assert_close(brightened(clean, 0.2), expected, atol=1e-6, rtol=0)


def test_contrast_shrinks_the_spread_about_the_mean():
    clean = images(2)
    spoilt = corrupted("contrast", clean, 2, keys(2))
    torch.testing.assert_close(spoilt.mean(dim=(2, 3)), clean.mean(dim=(2, 3)), atol=GREY_LEVEL, rtol=0)
    torch.testing.assert_close(spoilt.std(dim=(2, 3)), 0.5 * clean.std(dim=(2, 3)), atol=GREY_LEVEL, rtol=0)


def test_a_corruption_that_is_not_there():
    with pytest.raises(UsageError) as caught:
        corrupted("fog", images(1), 1, keys(1))
    assert caught.value.expected == "the name of a corruption"
    assert caught.value.found == "'fog'"
    assert caught.value.remedy.startswith("choose one of blur, brightness, contrast, jpeg, noise, rotation, shift")
