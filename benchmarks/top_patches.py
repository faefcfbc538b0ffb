"""How long it takes to find what excites every unit of a stage, over ten thousand pictures.

    uv run python benchmarks/top_patches.py [--model resnet20 --weights cifar10] [--dataset cifar10 --split test]
        [--layer layer3] [--rounds 3] [--out docs/benchmarks/top_patches.json]

One pass over the pictures for all units of the layer together, then the reconstruction of every patch by the deconvnet,
and the sheets. Each round does all of it anew: a network that was made on the spot keeps nothing. Reading the dataset
is part of each round, and what other programs do to the times is told by the processor's seconds, of all cores together.
"""

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

from kept import keep, measured_on

import neocog

GOAL = 60.0  # seconds


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="resnet20")
    parser.add_argument("--weights", default="cifar10", help="name of published weights, or a file; none for random ones")
    parser.add_argument("--dataset", default="cifar10")
    parser.add_argument("--split", default="test")
    parser.add_argument("--layer", default="layer3")
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    network = neocog.pretrained(arguments.model, weights=None if arguments.weights == "none" else arguments.weights)
    rounds = [measured(network, arguments) for _ in range(arguments.rounds)]
    middle = {name: statistics.median(one[name] for one in rounds) for name in ("pass", "whole", "processor")}
    facts = rounds[0]
    what = f"{facts['units']} units of {arguments.layer} in {arguments.model} over {facts['pictures']:,} pictures"
    print(
        f"{what}: pass {middle['pass']:.1f} s, "
        f"with {facts['reconstructions']} reconstructions, sheets and reading {middle['whole']:.1f} s (goal {GOAL:.0f} s)"
    )
    if arguments.out:
        choices = {name: getattr(arguments, name) for name in ("model", "weights", "dataset", "split", "layer")}
        keep(arguments.out, {**measured_on(), **choices, "goal": GOAL, "median": middle, "rounds": rounds})


def measured(network: neocog.Run, arguments: argparse.Namespace) -> dict[str, Any]:
    """One round: seconds of the pass alone, of everything, and of the processor's cores together."""
    started, worked = time.perf_counter(), time.process_time()
    found = network.explain(
        method="top_patches",
        data=arguments.dataset,
        split=arguments.split,
        layer=arguments.layer,
        most=arguments.pictures,
        progress=False,
    )
    whole, processor = time.perf_counter() - started, time.process_time() - worked
    facts = found.found["top_patches"].facts
    reconstructions = sum(len(unit["patches"]) for unit in facts["shown"])
    print(f"pass {facts['seconds']:.1f} s, whole {whole:.1f} s, processor {processor:.1f} s", flush=True)
    return {
        "pass": facts["seconds"],
        "whole": whole,
        "processor": processor,
        "units": facts["units"],
        "pictures": facts["pictures"],
        "reconstructions": reconstructions,
    }


if __name__ == "__main__":
    main()
