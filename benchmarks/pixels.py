"""Segmentation and denoising against plain PyTorch in float32: trainings in separate processes, predictions in turn in one.

    uv run python benchmarks/pixels.py [WORKLOAD ...] [--repeats 3] [--out docs/benchmarks/pixels.json]

Trainings are of the recipe's network at the recipe's size, for few steps; images (of denoising patches) per second count
everything from opening the dataset to the last step, with neocog's probe, whose memory is emptied before every run; "steady"
leaves out what happens once, as in benchmarks/train.py. Predictions are of networks with random weights, which are as fast as
trained ones: from the picture's file to an answer at its size, by neocog under the plan that the training's probe chose.
"""

import argparse
import copy
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from kept import keep, known, measured_on
from ours import train_and_time
from PIL import Image
from plain_pixels import predict_classes, predict_restored, train_on_patches, train_on_scenes
from sides import against, in_turn, medians
from torch import nn
from workloads import PIXELS, PixelWorkload, cut_pictures

from neocog.api.run import Run
from neocog.engine import Plan, prepare
from neocog.engine.plan import default_plan
from neocog.images import Size
from neocog.machine import data_folder
from neocog.models import create_model
from neocog.models.network import Network
from neocog.recipe import Recipe, chosen_over, read_recipe
from neocog.run import make_on_the_spot

SIDES = ("plain", "neocog")
RECIPES = Path(__file__).parent.parent / "recipes"


def main() -> None:
    """Run the workloads, print the ratios and keep the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(PIXELS)}; all without any")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0, help="of the training pictures; with fewer the probe has too few steps")
    parser.add_argument("--pictures", type=int, default=8, help="that are predicted")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps(_one_side(arguments.side, PIXELS[arguments.workloads[0]])))
        return
    for name in arguments.workloads or PIXELS:
        training = _trained(name, arguments.repeats, arguments.share)
        predictions = _predicted(name, training["plan"], arguments.repeats, arguments.pictures)
        if arguments.out:
            results = {**known(arguments.out).get("results", {}), name: {"training": training, "predictions": predictions}}
            keep(arguments.out, {**measured_on(), "results": results})


def _trained(name: str, repeats: int, share: float) -> dict[str, Any]:
    """Medians of both sides' trainings, and of their ratios."""
    workload, recipe = PIXELS[name], _recipe(PIXELS[name])
    with tempfile.TemporaryDirectory() as folder:
        runs = in_turn(__file__, name, SIDES, repeats, cut_pictures(workload, Path(folder), share))
    plain = against(runs["neocog"], runs["plain"])
    result = {
        "model": recipe.model,
        "image_size": recipe.image_size,
        "batch_size": recipe.batch_size,
        "repeats": repeats,
        "pictures": runs["neocog"][0]["pictures"],
        "plan": runs["neocog"][-1]["plan"],
        "ratio": plain.pop("ratio"),
        "steady_ratio": plain.pop("steady_ratio"),
        "goal": workload.train_goal,
        "plain": plain,
        "neocog": medians(runs["neocog"]),
    }
    print(f"{name}: trains {result['ratio']:.2f} times as fast as the plain loop ({result['steady_ratio']:.2f} steady)", flush=True)
    return result


def _one_side(side: str, workload: PixelWorkload) -> dict[str, Any]:
    """One training, on the dataset that NEOCOG_DATA names."""
    folder, recipe = Path(os.environ["NEOCOG_DATA"]), _recipe(workload)
    if side == "neocog":
        return train_and_time(str(folder), recipe=recipe)
    torch.manual_seed(0)
    preprocess = _network(workload, recipe, recipe.image_size).preprocess
    train = train_on_patches if recipe.task == "denoise" else train_on_scenes
    return train(lambda: _network(workload, recipe, recipe.image_size), preprocess, recipe, folder)


def _recipe(workload: PixelWorkload) -> Recipe:
    return chosen_over(read_recipe(RECIPES / workload.recipe), {"epochs": workload.epochs, "batch_size": workload.batch_size})


def _network(workload: PixelWorkload, recipe: Recipe, size: Size | None) -> Network:
    return create_model(str(recipe.model), task=recipe.task, **_shape(workload, size), **recipe.model_options)


def _shape(workload: PixelWorkload, size: Size | None) -> dict[str, Any]:
    return {"num_classes": workload.classes, "in_channels": workload.channels, "image_size": size}


def _predicted(name: str, planned: dict[str, Any], repeats: int, count: int) -> list[dict[str, Any]]:
    """A row for each size of the network's input."""
    workload = PIXELS[name]
    with tempfile.TemporaryDirectory() as folder:
        paths = _asked(workload, count, Path(folder))
        width, height = Image.open(paths[0]).size
        rows = []
        for size in workload.shown_at:
            row = _seconds_a_picture(workload, replace(default_plan(), **planned), size, paths, repeats)
            rows.append({"source": [height, width], "shown_at": size, "pictures": len(paths), "repeats": repeats, **row})
            shown = "own size" if size is None else f"{size[0]}x{size[1]}"
            seconds = f"{row['neocog']:.3f} s a picture, plain {row['plain']:.3f}"
            print(f"{name}: predicts {row['ratio']:.2f} times as fast at {shown}: {seconds}", flush=True)
    return rows


def _asked(workload: PixelWorkload, count: int, folder: Path) -> list[Path]:
    """Pictures of one size; those that are to be restored with noise, in files of their own."""
    found = sorted((data_folder() / workload.asked).iterdir())
    size = Image.open(found[0]).size
    alike = [path for path in found if Image.open(path).size == size][:count]
    recipe = _recipe(workload)
    if recipe.task != "denoise":
        return alike
    noise, noisy = np.random.default_rng(0), []
    for path in alike:
        clean = np.array(Image.open(path).convert("L"), dtype=np.float64)
        disturbed = clean + noise.normal(0, recipe.task_options["sigma"][0], clean.shape)
        noisy.append(folder / path.name)
        Image.fromarray(disturbed.round().clip(0, 255).astype(np.uint8)).save(noisy[-1])
    return noisy


def _seconds_a_picture(workload: PixelWorkload, plan: Plan, size: Size | None, paths: Sequence[Path], repeats: int) -> dict[str, Any]:
    """Medians of both sides in turn, after a first picture that is not timed."""
    recipe = _recipe(workload)
    torch.manual_seed(0)
    trained = make_on_the_spot(str(recipe.model), task=recipe.task, options={**_shape(workload, size), **recipe.model_options})
    plain: nn.Module = copy.deepcopy(trained.model).eval()
    run = Run(replace(trained, model=prepare(trained.model, plan), plan=plan))
    rival = predict_restored if recipe.task == "denoise" else predict_classes
    sides: dict[str, Callable[[Sequence[Path]], Any]] = {
        "plain": lambda asked: rival(plain, trained.preprocess, trained.preprocess.size, asked),
        "neocog": lambda asked: run.predict(*asked, progress=False),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for side in sides.values():
        side(paths[:1])
    for _ in range(repeats):
        for name, side in sides.items():
            started = time.perf_counter()
            side(paths)
            seconds[name].append((time.perf_counter() - started) / len(paths))
    return {
        "model": recipe.model,
        "plan": {key: getattr(plan, key) for key in ("layout", "precision", "threads")},
        "ratio": statistics.median(theirs / own for theirs, own in zip(seconds["plain"], seconds["neocog"], strict=True)),
        "goal": workload.predict_goal,
        **{name: statistics.median(values) for name, values in seconds.items()},
    }


if __name__ == "__main__":
    main()
