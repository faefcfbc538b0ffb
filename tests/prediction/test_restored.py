"""Restored picture files: whole and in tiles alike, with the channels, the depth and the metadata of what came in."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

from neocog.api import Run
from neocog.engine import tiles
from neocog.engine.plan import default_plan
from neocog.images import decode, encode_png
from neocog.models import create_model
from neocog.options import options_of
from neocog.prediction.restored import read_as_it_is, restore
from neocog.run import Trained
from neocog.tasks.denoise import Denoise, DenoiseOptions, quantised


def trained(channels=1, name="dncnn", **options):
    torch.manual_seed(1)
    model = create_model(name, in_channels=channels, task="denoise", **(options or {"depth": 4, "width": 6})).eval()
    return Trained(name, model, Denoise(options_of(DenoiseOptions, {}, "the task"), ()), "denoise", (), (), default_plan())


def picture(channels=1, depth=8, size=(40, 50), seed=0):
    numbers = np.random.default_rng(seed).integers(0, 2**depth, (channels, *size))
    return torch.from_numpy(numbers.astype(np.uint8 if depth == 8 else np.uint16))


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("network", [1, 3])
def test_tiled_equals_whole(monkeypatch, network, channels, depth):
    asked, noisy = trained(network), picture(channels, depth, (90, 131))
    whole = restore(asked, noisy).picture
    monkeypatch.setattr(tiles, "WINDOW", 32)
    tiled = restore(asked, noisy).picture
    assert whole.dtype == tiled.dtype == noisy.dtype
    assert whole.shape == tiled.shape == noisy.shape
    difference = (whole.to(torch.int64) - tiled.to(torch.int64)).abs()
    assert int(difference.max()) <= 1  # a value in the middle between two may be rounded either way
    assert float((difference > 0).float().mean()) < (1e-3 if depth == 8 else 0.02)


def test_a_u_net_is_tiled_without_seams(monkeypatch):
    asked, noisy = trained(1, "unet", depth=2, base=4), picture(1, 8, (150, 170))
    whole = restore(asked, noisy).picture
    monkeypatch.setattr(tiles, "WINDOW", 64)
    assert int((whole.int() - restore(asked, noisy).picture.int()).abs().max()) <= 1


def test_a_grey_network_restores_each_channel_of_a_colour_picture():
    asked, noisy = trained(1), picture(3)
    restored = restore(asked, noisy).picture
    for channel in range(3):
        assert torch.equal(restored[channel], restore(asked, noisy[channel : channel + 1]).picture[0])


def test_a_colour_network_answers_a_grey_picture_in_grey():
    asked, noisy = trained(3), picture(1)
    with torch.no_grad():
        colours = asked.model(noisy.expand(1, 3, -1, -1) / 255)
    assert torch.equal(restore(asked, noisy).picture, quantised(colours.mean(dim=1), 8))


def test_a_picture_of_one_pixel():
    assert restore(trained(1), picture(1, 8, (1, 1))).picture.shape == (1, 1, 1)


def saved(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(path):
    image = Image.open(io.BytesIO(path.read_bytes()))
    image.load()
    return image


def test_files_come_back_as_they_were_but_for_the_noise(tmp_path):
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Title", "Cells")
    exif = Image.Exif()
    exif[315] = "An artist"
    files = {
        "grey.png": saved(Image.fromarray(picture()[0].numpy()), pnginfo=texts, dpi=(72, 72)),
        "deep.png": encode_png(picture(1, 16)),
        "colours.png": encode_png(picture(3, 16)),
        "photo.jpg": saved(
            Image.fromarray(picture(3).numpy().transpose(1, 2, 0)), "JPEG", exif=exif, icc_profile=b"a profile", dpi=(300, 300)
        ),
        "broken.png": b"no picture",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    out = tmp_path / "out"
    answers = Run(trained(1)).predict(*(tmp_path / name for name in files), save=out, progress=False)
    by_name = {answer.path.name: answer for answer in answers}
    assert by_name["broken.png"].error is not None
    assert {path.name for path in out.iterdir()} == {
        f"{stem}{end}.png" for stem in ("grey", "deep", "colours", "photo") for end in ("", "-strip")
    }
    for name in ("grey.png", "deep.png", "colours.png", "photo.jpg"):
        answer = by_name[name]
        before, after = read_as_it_is(tmp_path / name), read_as_it_is(answer.restored)
        assert after.dtype == before.dtype
        assert after.shape == before.shape
        assert torch.equal(after.to(torch.int64), answer.prediction.answer.picture.to(torch.int64))
        assert answer.to_dict()["restored"] == str(answer.restored)
        assert decode(answer.drawing.read_bytes()).shape[0] == 3
    assert opened(out / "grey.png").text == {"Title": "Cells"}
    assert opened(out / "grey.png").info["dpi"] == pytest.approx((72, 72), abs=0.02)
    photo = opened(out / "photo.png")
    assert photo.info["icc_profile"] == b"a profile"
    assert photo.getexif()[315] == "An artist"
    assert {name: (tmp_path / name).read_bytes() for name in files} == files  # nothing of the person's is altered


def test_nothing_is_overwritten(tmp_path):
    source = tmp_path / "x.png"
    source.write_bytes(encode_png(picture()))
    out = tmp_path / "out"
    out.mkdir()
    (out / "x.png").write_bytes(b"somebody's")
    run = Run(trained(1))
    (first,) = run.predict(source, save=out, progress=False)
    (second,) = run.predict(source, save=out, progress=False)
    assert (first.restored.name, second.restored.name) == ("x-2.png", "x-3.png")
    assert (out / "x.png").read_bytes() == b"somebody's"
    assert replace(first, restored=None, drawing=None).to_dict() == {"picture": str(source), "height": 40, "width": 50}
