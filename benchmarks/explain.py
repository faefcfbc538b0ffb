"""Methods of attribution against captum's, and the seconds of an occlusion.

    uv run python benchmarks/explain.py [--rounds 5] [--out docs/benchmarks/explain.json]

Both sides explain the same picture of 224 pixels by the same network with as many passes through it, in one process and in turn;
which one begins alternates. The ratio is the median of the rounds' ratios of seconds, captum's to ours: above 1 ours is faster.
One round before the first is not counted. What both answer is compared beside it: the largest difference, as a share of the
largest value.

The network is mobilenet_v2, with its published weights where they are here; guided backpropagation and the deconvnet, which
captum applies to plain relu alone, are measured on resnet18 with random weights.
"""

import argparse
import os
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from captum import attr
from kept import keep, measured_on
from torch import Tensor

import neocog
from neocog.batch import Batch
from neocog.examine.swift import swiftly
from neocog.explain import EXPLAINERS
from neocog.machine import usable_cores
from neocog.objective import Objective
from neocog.run import Trained
from neocog.targets import Labels

SIDE = 224
STEPS, SAMPLES, SQUARE, POSITIONS, AT_ONCE = 32, 10, 34, 20, 8
STRIDE = (SIDE - SQUARE) // (POSITIONS - 1)
GOAL = 3.0  # seconds of an occlusion
WEIGHTS = "mobilenet_v2-tf2ptq-tv.pth"

Explain = Callable[[], Tensor]


def main() -> None:
    """Measure, print a line for each method, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(usable_cores())
    picture = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    results: dict[str, Any] = {}
    for name, (network, ours, theirs) in pairs(picture).items():
        results[name] = {"network": network, **measure(ours, theirs, arguments.rounds)}
        found = results[name]
        times = f"{found['ours']:7.3f} s {found['theirs']:7.3f} s  {found['ratio']:6.2f}"
        print(f"{name:22} {network:14} {times}  differs by {found['difference']:.0e}", flush=True)
    seconds = occlusion(picture, arguments.rounds)
    print(f"occlusion of {POSITIONS**2} places: {seconds:.2f} s{'' if seconds < GOAL else f', above {GOAL}'}")
    if arguments.out:
        choices = {"rounds": arguments.rounds, "steps": STEPS, "samples": SAMPLES, "positions": POSITIONS**2}
        keep(arguments.out, {**measured_on(), **choices, "results": results, "occlusion_seconds": seconds})


def mobilenet() -> Trained:
    """With its published weights where they are here."""
    folder = os.environ.get("NEOCOG_DATA")
    weights = Path(folder, "weights", WEIGHTS) if folder else None
    return neocog.pretrained("mobilenet_v2", weights=weights if weights is not None and weights.exists() else None).trained


def pairs(picture: Tensor) -> dict[str, tuple[str, Explain, Explain]]:
    """For each method the network's name, ours and captum's."""
    mobile, residual = mobilenet(), neocog.pretrained("resnet18", weights=None).trained
    seen = {trained.name: trained.preprocess.normalise(picture) for trained in (mobile, residual)}
    empty = {trained.name: trained.preprocess.normalise(torch.zeros_like(picture)) for trained in (mobile, residual)}
    target = decision(mobile, picture)
    model, normal, black = mobile.model, seen[mobile.name], empty[mobile.name]
    deviation = torch.tensor(mobile.preprocess.std)[None, :, None, None]
    grey = mobile.preprocess.normalise(torch.full_like(picture, 0.5))
    last = model.stages[list(model.stages)[-1]]
    captums: dict[str, tuple[Trained, Callable[[], Tensor]]] = {
        "saliency": (mobile, lambda: (attr.Saliency(model).attribute(leaf(normal), target=target) / deviation).amax(dim=1)),
        "smooth_grad": (mobile, lambda: (noise_tunnel(model, normal, target) / deviation).abs().amax(dim=1)),
        "integrated_gradients": (
            mobile,
            lambda: (
                attr.IntegratedGradients(model)
                .attribute(normal, black, target=target, n_steps=STEPS, method="riemann_middle", internal_batch_size=AT_ONCE)
                .sum(dim=1)
            ),
        ),
        "grad_cam": (
            mobile,
            lambda: torch.nn.functional.interpolate(
                attr.LayerGradCam(model, last).attribute(normal, target=target, relu_attributions=True), (SIDE, SIDE), mode="bilinear"
            )[:, 0],
        ),
        "occlusion": (
            mobile,
            lambda: attr.Occlusion(model).attribute(
                normal,
                (3, SQUARE, SQUARE),
                strides=(3, STRIDE, STRIDE),
                baselines=grey,
                target=target,
                perturbations_per_eval=AT_ONCE,
            )[:, 0],
        ),
        "guided_backprop": (residual, lambda: ruled(attr.GuidedBackprop, residual, seen[residual.name], picture)),
        "deconvnet": (residual, lambda: ruled(attr.Deconvolution, residual, seen[residual.name], picture)),
    }
    return {name: (trained.name, own(name, trained, picture), theirs) for name, (trained, theirs) in captums.items()}


def own(name: str, trained: Trained, picture: Tensor) -> Explain:
    """Our side, with captum's number of passes."""
    options = {
        "smooth_grad": {"samples": SAMPLES},
        "integrated_gradients": {"steps": STEPS, "most_steps": STEPS},
        "occlusion": {"square": SQUARE, "positions": POSITIONS},
    }.get(name, {})
    member = EXPLAINERS[name]
    asked = question(trained, picture) if member.gradient else swiftly(trained)(question(trained, picture))  # as `neocog explain` asks
    layer = f"stages.{list(trained.model.stages)[-1]}" if member.layered else None

    def explain() -> Tensor:
        draws = torch.Generator().manual_seed(0)
        return member.explain(trained.model, asked, picture, member.Options(**options), layer=layer, generator=draws).maps

    return explain


def question(trained: Trained, picture: Tensor) -> Objective:
    """About the network's decision."""
    target = decision(trained, picture)
    labels, key, size = Labels(target, target, torch.ones(1)), torch.zeros(1, dtype=torch.int64), torch.tensor([[SIDE, SIDE]])
    return trained.task.objective(trained.model, Batch(picture, labels, key, size, torch.eye(3)[None]))


def decision(trained: Trained, picture: Tensor) -> Tensor:
    """The class that the network decides for."""
    with torch.no_grad():
        return trained.model(trained.preprocess.normalise(picture)).argmax(dim=1)


def leaf(images: Tensor) -> Tensor:
    """What gradients are taken by."""
    return images.clone().requires_grad_()


def noise_tunnel(model: torch.nn.Module, images: Tensor, target: Tensor) -> Tensor:
    """Captum's mean over noise; its noise is another."""
    tunnel = attr.NoiseTunnel(attr.Saliency(model))
    return tunnel.attribute(
        leaf(images), nt_type="smoothgrad", nt_samples=SAMPLES, nt_samples_batch_size=1, stdevs=0.15, target=target, abs=False
    )


def ruled(kind: Any, trained: Trained, images: Tensor, picture: Tensor) -> Tensor:
    """Captum's rules for the way back, on the scale of the picture."""
    deviation = torch.tensor(trained.preprocess.std)[None, :, None, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it sets hooks
        found = kind(trained.model).attribute(leaf(images), target=decision(trained, picture))
    return (found / deviation).abs().amax(dim=1)


def measure(ours: Explain, theirs: Explain, rounds: int) -> dict[str, float]:
    """Median seconds of both, the median of the rounds' ratios, and how far the answers are apart."""
    sides = {"ours": ours, "theirs": theirs}
    answers = {side: explain().detach() for side, explain in sides.items()}
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(rounds):
        for side in list(sides)[:: 1 if number % 2 else -1]:
            started = time.perf_counter()
            sides[side]()
            seconds[side].append(time.perf_counter() - started)
    ratios = [other / mine for mine, other in zip(seconds["ours"], seconds["theirs"], strict=True)]
    difference = (answers["ours"] - answers["theirs"]).abs().max() / answers["theirs"].abs().max()
    medians = {side: statistics.median(times) for side, times in seconds.items()}
    return {**medians, "ratio": statistics.median(ratios), "difference": float(difference)}


def occlusion(picture: Tensor, rounds: int) -> float:
    """Median seconds of the method as it is by itself."""
    explain, seconds = own("occlusion", mobilenet(), picture), []
    for _ in range(rounds):
        started = time.perf_counter()
        explain()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
