"""How much faster every pixel of a picture is labelled in one pass than window by window, with the same weights.

    uv run python benchmarks/dense_labels.py [--sides 32 64 96] [--repeats 5] [--out docs/benchmarks/dense_labels.json]

`patch_classifier` sees a window of 95x95 pixels and labels the pixel in its centre. Window by window, some at a time, is
how it was published; its dense form gives the same labels everywhere, which is checked on every picture. Square grey
pictures of random pixels, random weights, two classes, float32, evaluation; both forms run in turn, and the ratio is the
median of the repeats' ratios.
"""

import argparse
import statistics
import time
from pathlib import Path

import torch
from kept import keep, measured_on
from torch import Tensor, nn

from neocog.models import create_model, describe
from neocog.models.patch_classifier import WINDOW

SIDES = (32, 64, 96)


def main() -> None:
    """Measure every size, and print and keep the seconds and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="+", default=SIDES, help="of the pictures, in pixels")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    dense = create_model("patch_classifier", in_channels=1).eval()
    slid = create_model("patch_classifier", in_channels=1, sliding="patches").eval()
    slid.load_state_dict(dense.state_dict())
    rows = []
    for side in arguments.sides:
        rows.append(row := measured(dense, slid, side, arguments.repeats))
        seconds = f"{row['dense_seconds']:.3f} s at once, {row['patches_seconds']:.2f} s window by window"
        print(f"{side}x{side}: {seconds}: {row['ratio']:.0f} times; {row['multiply_adds_ratio']:.0f} times the multiply-adds", flush=True)
    if arguments.out:
        keep(
            arguments.out,
            {**measured_on(), "window": WINDOW, "repeats": arguments.repeats, "threads": torch.get_num_threads(), "rows": rows},
        )


def measured(dense: nn.Module, slid: nn.Module, side: int, repeats: int) -> dict[str, float]:
    """Seconds and multiply-adds of both forms on one picture.

    Raises:
        AssertionError: they label a pixel differently.
    """
    image = torch.rand(1, 1, side, side)
    assert torch.equal(dense(image).argmax(1), slid(image).argmax(1))
    pairs = [(seconds(dense, image), seconds(slid, image)) for _ in range(repeats)]
    whole, window = (
        describe(create_model("patch_classifier", in_channels=1, sliding=form), (side, side)).multiply_adds for form in ("dense", "patches")
    )
    return {
        "side": side,
        "dense_seconds": statistics.median(first for first, _ in pairs),
        "patches_seconds": statistics.median(second for _, second in pairs),
        "ratio": statistics.median(second / first for first, second in pairs),
        "multiply_adds_ratio": window / whole,
    }


def seconds(network: nn.Module, image: Tensor) -> float:
    """Of one pass without gradients."""
    started = time.perf_counter()
    with torch.inference_mode():
        network(image)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
