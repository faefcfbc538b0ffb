from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from PIL import Image

from neocog.layers.dense_crf import DenseCrf, DenseCrfOptions, dense_crf
from neocog.machine import data_folder

SIZE = (30, 40)
CLASSES = 12


def by_all_pairs(probabilities, picture, options):
    """Mean field inference as the paper's algorithm 1 has it, with both kernels written out between all pixels."""
    classes, height, width = probabilities.shape
    rows, columns = np.mgrid[:height, :width].reshape(2, -1)
    places = np.stack([rows, columns], axis=1).astype(np.float64)
    colours = picture.reshape(len(picture), -1).numpy().astype(np.float64).T
    by_place, by_colour = (((points[:, None] - points[None]) ** 2).sum(-1) / 2 for points in (places, colours))
    kernels = [np.exp(-by_place / options.near**2 - by_colour / options.alike**2), np.exp(-by_place / options.reach**2)]
    norms = [1 / np.sqrt(kernel.sum(axis=1)) for kernel in kernels]
    joint = sum(
        weight * norm[:, None] * kernel * norm[None, :]
        for weight, norm, kernel in zip((options.appearance, options.smoothness), norms, kernels, strict=True)
    )
    unary = np.log(np.clip(probabilities.numpy().reshape(classes, -1).T.astype(np.float64), 1e-6, None))
    answers = softmax(unary)
    for _ in range(options.crf_iterations):
        answers = softmax(unary + joint @ answers)
    return answers.T.reshape(classes, height, width)


def softmax(values):
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def doubtful(mask, seed):
    """Probabilities that a poor network might give for a mask: coarse, and wrong in places."""
    noise = torch.from_numpy(np.random.default_rng(seed).normal(0, 1.2, (CLASSES, *mask.shape))).float()
    told = torch.nn.functional.one_hot(mask, CLASSES).permute(2, 0, 1).float()
    coarse = torch.nn.functional.avg_pool2d(told[None], 9, 1, 4)[0]
    return (2.5 * coarse + noise).softmax(dim=0)


def drawn(seed):
    """A picture of flat regions under noise, and its mask."""
    numbers = np.random.default_rng(seed)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    mask = ((rows // 11) * 4 + (columns + rows // 2) // 13) % CLASSES
    colours = numbers.integers(30, 226, (CLASSES, 3))
    picture = colours[mask] + numbers.normal(0, 6, (*SIZE, 3))
    return torch.from_numpy(picture.clip(0, 255).astype(np.uint8)).permute(2, 0, 1), torch.from_numpy(mask)


def difference(picture, mask, seed, options):
    probabilities = doubtful(mask, seed)
    return float(np.abs(dense_crf(probabilities, picture, options).numpy() - by_all_pairs(probabilities, picture, options)).mean())


@pytest.mark.parametrize("options", [DenseCrfOptions(), DenseCrfOptions(near=20, alike=20, smoothness=1), DenseCrfOptions(appearance=4)])
def test_marginals_are_those_of_all_pairs(options):
    picture, mask = drawn(seed=1)
    assert difference(picture, mask, 1, options) < 0.05


@pytest.mark.realdata
def test_marginals_of_camvid_are_those_of_all_pairs():
    folder = data_folder() / "CamVid"
    if not folder.is_dir():
        pytest.skip(f"needs CamVid in {folder}")
    paths = sorted((folder / "val").glob("*.jpg"))[::20][:5]
    assert len(paths) == 5
    for seed, path in enumerate(paths):
        window = (100 + 40 * seed, 150, 140 + 40 * seed, 180)  # of 40 x 30 pixels
        picture = torch.from_numpy(np.array(Image.open(path).convert("RGB").crop(window))).permute(2, 0, 1)
        mask = torch.from_numpy(np.array(Image.open(folder / "valannot" / f"{path.stem}.png").crop(window)).astype(np.int64))
        assert difference(picture, mask.clamp(max=CLASSES - 1), seed, DenseCrfOptions()) < 0.05


def test_without_smoothness_only_the_lattice_is_heard_and_without_appearance_the_answer_is_exact():
    picture, mask = drawn(seed=2)
    probabilities = doubtful(mask, 2)
    options = DenseCrfOptions(appearance=0)
    np.testing.assert_allclose(dense_crf(probabilities, picture, options), by_all_pairs(probabilities, picture, options), atol=1e-4)


def test_doubtful_answers_become_better():
    picture, mask = drawn(seed=4)
    probabilities = doubtful(mask, 4)
    before, after = ((answer.argmax(dim=0) == mask).float().mean() for answer in (probabilities, dense_crf(probabilities, picture)))
    assert after > before + 0.1


def test_marginals_sum_to_one_and_weights_of_zero_leave_all_as_it_is():
    picture, mask = drawn(seed=5)
    probabilities = doubtful(mask, 5)
    torch.testing.assert_close(dense_crf(probabilities, picture).sum(dim=0), torch.ones(SIZE))
    deaf = replace(DenseCrfOptions(), appearance=0.0, smoothness=0.0)
    torch.testing.assert_close(dense_crf(probabilities, picture, deaf), probabilities)


def test_grey_pictures_and_other_devices_types_are_taken():
    picture, mask = drawn(seed=6)
    marginals = dense_crf(doubtful(mask, 6), picture[:1])
    assert marginals.dtype == torch.float32
    assert marginals.shape == (CLASSES, *SIZE)


def test_a_picture_of_another_size_is_refused():
    picture, mask = drawn(seed=7)
    with pytest.raises(ValueError, match="picture's") as caught:
        DenseCrf(picture[:, :-1]).marginals(doubtful(mask, 7))
    assert str(caught.value) == "expected probabilities of the picture's (29, 40), found (30, 40)"


def test_the_whole_picture_is_heard():
    """One certain pixel speaks to all others of its colour, however far."""
    picture = torch.full((3, 24, 200), 128, dtype=torch.uint8)
    picture[:, 8:16, :] = 20
    probabilities = torch.full((2, 24, 200), 0.5)
    probabilities[:, :, :5] = torch.tensor([0.999, 0.001])[:, None, None]
    options = DenseCrfOptions(appearance=200, near=100, alike=5, smoothness=0)
    marginals = dense_crf(probabilities, picture, options)
    for row, column in product((2, 12), (100, 199)):
        assert marginals[0, row, column] > 0.5
