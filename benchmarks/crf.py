"""Seconds of the fully connected CRF on one picture, and how far its marginals are from those of all pairs of pixels.

    uv run python benchmarks/crf.py [--repeats 5] [--out docs/benchmarks/crf.json]

480x360 pixels, 12 classes, 10 iterations, on a picture of CamVid. All pairs are written out on five windows of 40x30
pixels of other pictures, where they fit into memory: the mean absolute difference of the marginals.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from kept import keep, measured_on
from torch import Tensor

from neocog.images import decode, decode_mask
from neocog.layers import DenseCrfOptions, dense_crf
from neocog.machine import data_folder

CLASSES = 12
WINDOW = (30, 40)
WINDOWS = 5


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    folder = data_folder() / "CamVid"
    paths = sorted((folder / "val").iterdir())[:: 101 // (WINDOWS + 1)][: WINDOWS + 1]
    examples = [_example(path, folder / "valannot" / f"{path.stem}.png") for path in paths]
    options = DenseCrfOptions()
    picture, probabilities = examples[0]
    seconds = []
    for _ in range(arguments.repeats):
        started = time.perf_counter()
        dense_crf(probabilities, picture, options)
        seconds.append(time.perf_counter() - started)
    windows = [_window(*example, place) for place, example in enumerate(examples[1:])]
    differences = [float((dense_crf(told, seen, options) - by_all_pairs(told, seen, options)).abs().mean()) for seen, told in windows]
    result = {
        "size": list(picture.shape[1:]),
        "classes": CLASSES,
        "iterations": options.crf_iterations,
        "seconds": statistics.median(seconds),
        "differences": differences,
    }
    print(f"{result['seconds']:.2f} s a picture; differences from all pairs: {', '.join(f'{one:.4f}' for one in differences)}")
    if arguments.out:
        keep(arguments.out, {**measured_on(), **result})


def _example(picture: Path, mask: Path) -> tuple[Tensor, Tensor]:
    """A picture, and probabilities that a coarse network might give for it: the blurred mask under noise."""
    classes = decode_mask(mask.read_bytes()).to(torch.int64).clamp(max=CLASSES - 1)
    told = torch.nn.functional.one_hot(classes, CLASSES).permute(2, 0, 1).float()
    coarse = torch.nn.functional.avg_pool2d(told[None], 9, 1, 4)[0]
    noise = torch.from_numpy(np.random.default_rng(0).normal(0, 1.2, coarse.shape)).float()
    return decode(picture.read_bytes()), (2.5 * coarse + noise).softmax(dim=0)


def _window(picture: Tensor, probabilities: Tensor, number: int) -> tuple[Tensor, Tensor]:
    top, left = 150, 60 + 60 * number
    rows, columns = slice(top, top + WINDOW[0]), slice(left, left + WINDOW[1])
    return picture[:, rows, columns], probabilities[:, rows, columns]


def by_all_pairs(probabilities: Tensor, picture: Tensor, options: DenseCrfOptions) -> Tensor:
    """Mean field inference with both kernels written out between all pixels, in float64."""
    height, width = picture.shape[1:]
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    places = torch.stack([rows.reshape(-1), columns.reshape(-1)], dim=1).to(torch.float64)
    colours = picture.reshape(len(picture), -1).T.to(torch.float64)
    by_place, by_colour = (torch.cdist(points, points) ** 2 / 2 for points in (places, colours))
    kernels = (torch.exp(-by_place / options.near**2 - by_colour / options.alike**2), torch.exp(-by_place / options.reach**2))
    norms = [kernel.sum(dim=1).rsqrt() for kernel in kernels]
    weights = (options.appearance, options.smoothness)
    joint = sum(weight * norm[:, None] * kernel * norm for weight, norm, kernel in zip(weights, norms, kernels, strict=True))
    evidence = probabilities.reshape(CLASSES, -1).T.to(torch.float64).clamp(min=1e-6).log()
    answers = evidence.softmax(dim=1)
    for _ in range(options.crf_iterations):
        answers = (evidence + joint @ answers).softmax(dim=1)
    return answers.T.reshape(probabilities.shape).float()


if __name__ == "__main__":
    main()
