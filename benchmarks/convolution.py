"""Four ways to compute one convolution, and from which size each wins: direct, im2col, FFT, Toeplitz matrix.

    uv run python benchmarks/convolution.py [--repeats 7] [--quick] [--out docs/benchmarks/convolution.json]

Every image and kernel is square, with as many output channels as input channels, "same" padding and stride 1, in
float32, forward only. All forms of one size run in turn, in a new order each time; a time is the least of as many calls
as fit into a few milliseconds, and a ratio the median over the repeats of direct time / own time: above 1 a form is
faster than `nn.Conv2d`. The Toeplitz matrix is built beforehand. It and im2col's columns are only measured where they have
at most 2^26 values, 256 MiB.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from kept import keep, measured_on
from torch import Tensor

from neocog.layers import correlation, correlation_by_fft, correlation_by_im2col, toeplitz_matrix

BATCH, CHANNELS = 8, 8
IMAGES, KERNELS = (4, 8, 16, 32, 64, 128, 256), (1, 3, 5, 7, 11, 15, 21, 31)
QUICK_IMAGES, QUICK_KERNELS = (8, 32), (3, 11)
LARGEST_MATRIX = 2**26
SECONDS_PER_LOOK = 0.02


def main() -> None:
    """Measure all sizes, and print and keep the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="a few small sizes, to see that it works")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    images, kernels = (QUICK_IMAGES, QUICK_KERNELS) if arguments.quick else (IMAGES, KERNELS)
    rows = [_measure(image, kernel, arguments.repeats) for image in images for kernel in kernels if kernel <= image]
    wins = {form: _wins(rows, form) for form in ("im2col", "fft", "toeplitz")}
    for form, from_kernel in wins.items():
        said = ", ".join(f"image {image}: {kernel or 'never'}" for image, kernel in from_kernel.items())
        print(f"{form} wins from kernel: {said}")
    result = {
        **measured_on(),
        "batch": BATCH,
        "channels": CHANNELS,
        "repeats": arguments.repeats,
        "wins_from_kernel": wins,
        "rows": rows,
    }
    if arguments.out:
        keep(arguments.out, result)


@torch.inference_mode()
def _measure(image: int, kernel: int, repeats: int) -> dict[str, Any]:
    """Milliseconds of the direct form, and how many times as fast each other one is."""
    forms = _forms(image, kernel)
    calls = {name: _calls_per_look(form) for name, form in forms.items()}
    looks: dict[str, list[float]] = {name: [] for name in forms}
    for repeat in range(repeats):
        turned = list(forms)[repeat % len(forms) :] + list(forms)[: repeat % len(forms)]
        for name in turned:
            looks[name].append(min(_seconds(forms[name]) for _ in range(calls[name])))
    ratios = {
        name: statistics.median(direct / own for direct, own in zip(looks["direct"], looks[name], strict=True))
        for name in forms
        if name != "direct"
    }
    print(f"{image:>4} px, kernel {kernel:>2}: " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items()), flush=True)
    return {"image": image, "kernel": kernel, "direct_ms": 1000 * statistics.median(looks["direct"]), "ratios": ratios}


def _forms(image: int, kernel: int) -> dict[str, Callable[[], Tensor]]:
    """What is measured, by name, after a look at whether all give the same."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(BATCH, CHANNELS, image, image, generator=generator)
    kernels = torch.randn(CHANNELS, CHANNELS, kernel, kernel, generator=generator) / math.sqrt(CHANNELS * kernel**2)
    forms: dict[str, Callable[[], Tensor]] = {
        "direct": lambda: correlation(images, kernels, padding=kernel // 2),
        "fft": lambda: correlation_by_fft(images, kernels, padding=kernel // 2),
    }
    if images.numel() * kernel**2 <= LARGEST_MATRIX:
        forms["im2col"] = lambda: correlation_by_im2col(images, kernels, padding=kernel // 2)
    if (CHANNELS * image**2) ** 2 <= LARGEST_MATRIX:
        matrix = toeplitz_matrix(kernels, (image, image), padding=kernel // 2).T.contiguous()
        forms["toeplitz"] = lambda: (images.flatten(1) @ matrix).view_as(images)
    expected = forms["direct"]()
    for form in forms.values():
        torch.testing.assert_close(form(), expected, rtol=1e-4, atol=1e-4)
    return forms


def _calls_per_look(form: Callable[[], Tensor]) -> int:
    once = min(_seconds(form) for _ in range(2))
    return max(1, min(100, int(SECONDS_PER_LOOK / once)))


def _seconds(form: Callable[[], Tensor]) -> float:
    started = time.perf_counter()
    form()
    return time.perf_counter() - started


def _wins(rows: Sequence[dict[str, Any]], form: str) -> dict[str, int | None]:
    """For each size of the image, the least kernel from which on a form is faster than the direct one."""
    wins: dict[str, int | None] = {}
    for row in rows:
        if form not in row["ratios"]:
            continue
        size = str(row["image"])
        if row["ratios"][form] <= 1:
            wins[size] = None
        elif wins.get(size) is None:
            wins[size] = row["kernel"]
    return wins


if __name__ == "__main__":
    main()
