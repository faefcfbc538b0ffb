"""Tables of what the benchmarks measured."""

from collections.abc import Sequence
from typing import Any

from writers.markdown import kept_result, measured_on, table, won

__all__ = ["convolution_forms", "dense_labels", "input_speed", "learning_rates", "top_patches_speed", "training_speed", "zoo_speed"]


def convolution_forms() -> str:
    """The kept result of benchmarks/convolution.py: the fastest form of each size."""
    kept = kept_result("convolution.json")
    fastest = {
        (row["image"], row["kernel"]): max({"direct": 1.0, **row["ratios"]}.items(), key=lambda form: form[1]) for row in kept["rows"]
    }
    images, kernels = (sorted({row[axis] for row in kept["rows"]}) for axis in ("image", "kernel"))
    rows = (
        (f"{image}×{image}", *(_form(*fastest[image, kernel]) if (image, kernel) in fastest else "" for kernel in kernels))
        for image in images
    )
    conditions = f"\nBatches of {kept['batch']}, {kept['channels']} channels in and out, stride 1, forward, float32.\n"
    return table(("image", *(f"{kernel}×{kernel}" for kernel in kernels)), rows) + conditions + measured_on(kept)


def _form(name: str, ratio: float) -> str:
    return name if name == "direct" else f"**{name}** {ratio:.1f}"


def training_speed() -> str:
    """The kept result of benchmarks/train.py: a row for each training and rival."""
    kept = kept_result("train.json")
    rows = (
        (
            name,
            f"{result['pictures']:,}",
            result["repeats"],
            rival,
            f"{theirs['steady']:,.0f}",
            f"{result['neocog']['steady']:,.0f}",
            won(theirs.get("ratio", result["ratio"])),
            won(theirs.get("steady_ratio", result["steady_ratio"]), bold=False),
            f"{theirs['memory'] / 2**30:.2f} / {result['neocog']['memory'] / 2**30:.2f}",
            ", ".join(str(value) for value in result["plan"].values()),
        )
        for name, result in kept["results"].items()
        for rival, theirs in {"plain": result["plain"], **result.get("peers", {})}.items()
    )
    speeds = ("rival images/s", "neocog images/s", "ratio", "ratio, steady")
    return table(("training", "pictures", "runs", "rival", *speeds, "peak memory, GiB", "plan"), rows) + measured_on(kept)


def zoo_speed() -> str:
    """The kept result of benchmarks/zoo.py: steps against torchvision's, and the slowest to build."""
    kept = kept_result("zoo.json")
    rows = (
        (f"`{name}`", f"{found['ours']:.3f}", f"{found['theirs']:.3f}", f"**{found['ratio']:.2f}**")
        for name, found in kept["results"].items()
    )
    slowest = sorted(kept["building"].items(), key=lambda item: -item[1])[:5]
    built = ", ".join(f"`{name}` {seconds:.2f} s" for name, seconds in slowest)
    conditions = f"\n{kept['rounds']} rounds, batches of {kept['batch_size']}. The slowest to build with initial weights: {built}.\n"
    return table(("architecture", "ours, s a step", "torchvision's", "ratio"), rows) + conditions + measured_on(kept)


def learning_rates() -> str:
    """The kept result of benchmarks/learning_rates.py: the accuracy at every rate, and which rates work."""
    kept = kept_result("learning_rates.json")
    found = {(row["rate"], row["norm"]): row for row in kept["rows"]}
    rates = sorted({rate for rate, _ in found})
    rows = [(f"{rate:g}", *(_reached(found[rate, norm], kept["working"][norm]) for norm in ("batch", "none"))) for rate in rates]
    factors = [f"{most / least:,.0f}" for least, most in (kept["working"][norm] for norm in ("batch", "none"))]
    rows.append(("largest to smallest in bold", *factors))
    conditions = (
        f"\n`{kept['dataset']}`, {kept['epochs']} epochs, mean over seeds: {kept['seeds']}, first block of {kept['width']} channels. "
        f"Bold: within {kept['close']:g} of the best. A training that diverged counts as a guess, {kept['guess']:.2f}.\n"
    )
    return table(("learning rate", "with batch normalisation", "without"), rows) + conditions + measured_on(kept)


def _reached(row: Any, working: Sequence[float]) -> str:
    """The mean accuracy, bold where the rate works, and how many trainings diverged."""
    diverged = row["accuracies"].count(None)
    if diverged == len(row["accuracies"]):
        return "diverged"
    mean = f"**{row['mean']:.4f}**" if working[0] <= row["rate"] <= working[1] else f"{row['mean']:.4f}"
    return f"{mean} ({diverged} diverged)" if diverged else mean


def input_speed() -> str:
    """The kept result of benchmarks/input.py."""
    kept = kept_result("input.json")
    rows = [
        ("Pillow and torchvision, every epoch", f"{kept['pillow_and_torchvision_seconds']:.2f} s", "1"),
        ("neocog, first epoch", f"{kept['neocog_first_epoch_seconds']:.2f} s", ""),
        ("neocog, later epochs", f"{kept['neocog_later_epoch_seconds']:.3f} s", f"**{kept['ratio']:.0f}**"),
    ]
    return table(("input of an epoch", f"{kept['photos']} photos of 4000×3000", "times as fast"), rows) + measured_on(kept)


def top_patches_speed() -> str:
    """The kept result of benchmarks/top_patches.py."""
    kept = kept_result("top_patches.json")
    first, middle = kept["rounds"][0], kept["median"]
    row = (
        f"`{kept['model']}`, {kept['layer']}",
        first["units"],
        f"{first['pictures']:,}",
        f"{middle['pass']:.1f} s",
        first["reconstructions"],
        f"**{middle['whole']:.1f} s**",
        f"{middle['processor']:.1f} s",
        f"{kept['goal']:.0f} s",
    )
    heads = ("network and stage", "units", "pictures", "pass", "reconstructions", "whole", "processor", "goal")
    return table(heads, [row]) + f"\n`{kept['dataset']}`, median of runs: {len(kept['rounds'])}.\n" + measured_on(kept)


def dense_labels() -> str:
    """The kept result of benchmarks/dense_labels.py: both forms of the patch classifier on pictures of several sizes."""
    kept = kept_result("dense_labels.json")
    rows = (
        (
            f"{row['side']}×{row['side']}",
            f"{row['patches_seconds']:.2f} s",
            f"{row['dense_seconds']:.3f} s",
            f"**{row['ratio']:.0f}**",
            f"{row['multiply_adds_ratio']:.0f}",
        )
        for row in kept["rows"]
    )
    headings = ("picture", "window by window", "in one pass", "times as fast", "times the multiply-adds")
    return (
        table(headings, rows)
        + f"\nMedians of {kept['repeats']}, windows of {kept['window']} pixels, threads: {kept['threads']}.\n"
        + measured_on(kept)
    )
