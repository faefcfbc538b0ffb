"""Restored picture files: whole and in tiles alike, with the channels, the depth and the metadata of what came in."""

import copy
import importlib
import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

from neocog.api import Run
from neocog.engine import tiles
from neocog.engine.plan import default_plan
from neocog.errors import UsageError
from neocog.evaluation import assemble
from neocog.evaluation.cost import Stopwatch
from neocog.images import decode, encode_png
from neocog.models import create_model
from neocog.options import options_of
from neocog.prediction import restored as restoring
from neocog.prediction.restored import read_as_it_is
from neocog.run import Trained
from neocog.targets import Prediction
from neocog.tasks.denoise import Denoise, DenoiseOptions, quantised


def trained(channels=1, name="dncnn", **options):
    torch.manual_seed(1)
    model = create_model(name, in_channels=channels, task="denoise", **(options or {"depth": 4, "width": 6})).eval()
    return Trained(name, model, Denoise(options_of(DenoiseOptions, {}, "the task"), ()), "denoise", (), (), default_plan())


def restore(*networks_and_picture, views=()):
    *networks, noisy = networks_and_picture
    return restoring.restore(assemble(networks, views), noisy, [Stopwatch(warm=True) for _ in networks])


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


def laid(images, turns, mirrored):
    return torch.rot90(images.flip(-1) if mirrored else images, turns, (-2, -1))


def by_brute_force(networks, noisy, views):
    """The mean of whole pictures, turned and mirrored and back, one by one."""
    turns = range(4) if "quarter_turn" in views else (0,)
    images = noisy[None].double() / (255 if noisy.dtype == torch.uint8 else 65535)
    answers = []
    for asked in networks:
        model = copy.deepcopy(asked.model).double()
        for turn in turns:
            for mirrored in (False, True) if "flip" in views else (False,):
                with torch.no_grad():
                    restored = model.preprocess.denormalise(model(model.preprocess.normalise(laid(images, turn, mirrored))))
                back = torch.rot90(restored, -turn, (-2, -1))
                answers.append(back.flip(-1) if mirrored else back)
    return torch.stack(answers).mean(dim=0)[0]


@pytest.mark.parametrize("views", [("flip",), ("quarter_turn",), ("flip", "quarter_turn")])
@pytest.mark.parametrize(
    ("names", "channels"), [(["dncnn"], 1), (["dncnn"], 3), (["unet"], 1), (["dncnn", "unet"], 1)], ids=["grey", "colour", "unet", "two"]
)
def test_views_and_networks_are_averaged(monkeypatch, names, channels, views):
    sizes = {"dncnn": {"depth": 4, "width": 6}, "unet": {"depth": 2, "base": 4}}
    networks = [trained(channels, name, **sizes[name]) for name in names]
    noisy = picture(channels, 16, (150, 171))
    expected = by_brute_force(networks, noisy, views)
    for window in (512, 64):
        monkeypatch.setattr(tiles, "WINDOW", window)
        found = restore(*networks, noisy, views=views).picture
        assert (found.double() / 65535 - expected.clamp(0, 1)).abs().max() < 2e-5


def test_a_mirrored_picture_is_restored_to_the_mirrored_answer(monkeypatch):
    """All views together know no left and right, top and bottom, at no seam."""
    monkeypatch.setattr(tiles, "WINDOW", 32)
    asked, noisy = trained(1), picture(1, 8, (60, 90))
    plain = restore(asked, noisy, views=("flip", "quarter_turn")).picture
    for turn, mirrored in ((0, True), (1, False), (2, True)):
        moved = restore(asked, laid(noisy, turn, mirrored).contiguous(), views=("flip", "quarter_turn")).picture
        assert int((moved.int() - laid(plain, turn, mirrored).int()).abs().max()) <= 1


def test_no_more_than_a_tile_is_asked_at_once(monkeypatch):
    monkeypatch.setattr(tiles, "WINDOW", 32)
    asked, seen = trained(1), []
    asked.model.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].shape[-2:].numel()))
    restore(asked, picture(1, 8, (150, 170)), views=("flip", "quarter_turn"))
    parts = [size for size in seen if size <= 40 * 40]
    assert len(parts) > 8 * 20
    assert max(seen) <= 128 * 32  # the probe of how far the network sees


def test_grey_and_colours_have_no_mean():
    with pytest.raises(UsageError) as caught:
        restore(trained(1), trained(3), picture(1))
    assert str(caught.value) == (
        "expected: networks for pictures with the same channels\nfound: dncnn with 1 and dncnn with 3\nto do: leave the others away"
    )


def test_what_views_cost_is_counted(tmp_path):
    (tmp_path / "x.png").write_bytes(encode_png(picture()))
    asked = Run(trained(1))
    answers = asked.predict(tmp_path / "x.png", together_with=asked, tta=["flip", "quarter_turn"], save=tmp_path / "out", progress=False)
    assert (answers.cost.networks, answers.cost.views) == (2, 8)
    assert answers.cost.seconds > answers.cost.single_seconds > 0
    assert answers[0].restored.name == "x.png"
    alone = asked.predict(tmp_path / "x.png", progress=False).cost
    assert (alone.networks, alone.views, alone.ratio) == (1, 1, 1)


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


def test_a_large_picture_is_read_once_and_its_strip_shows_the_middle(tmp_path, monkeypatch):
    noisy = picture(1, 8, (40, 2100))
    (tmp_path / "x.png").write_bytes(encode_png(noisy))
    read = []
    module = importlib.import_module("neocog.prediction.predict")  # the package has a function of this name
    monkeypatch.setattr(module, "read_as_it_is", lambda path: read.append(path) or read_as_it_is(path))
    (answer,) = Run(trained(1)).predict(tmp_path / "x.png", save=tmp_path / "out", progress=False)
    assert read == [tmp_path / "x.png"]
    assert torch.equal(answer.shown, noisy[:, :, 794:1306])
    assert decode(answer.restored.read_bytes()).shape[1:] == (40, 2100)
    restored = answer.prediction.answer
    whole = Denoise(DenoiseOptions(), ()).draw(noisy, Prediction(restored))
    assert torch.equal(decode(answer.drawing.read_bytes()), whole)


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
