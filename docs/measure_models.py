"""Measures every architecture for the tables in models.md: its work, its memory, and how far it is from its reference.

    uv run python docs/measure_models.py [NAME ...]

For the distance both have equal random weights and see a batch of three random images at the paper's size (of networks that
answer for every pixel, at a smaller and uneven one), in
evaluation and in training, in float32; it is the largest of all outputs, in shares of the largest output. The tests
hold the same pairs to 1e-4.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch

from neocog.models import MODELS, activation_bytes, create_model, describe

HERE = Path(__file__).parent
KEPT = HERE / "models.json"
IMAGES = 3


def main() -> None:
    """Measure the named architectures, or all."""
    sys.path.insert(0, str(HERE.parent / "tests"))
    from references.compare import all_references

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    names = parser.parse_args().names or MODELS.names()
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {"results": {}}
    references = all_references()
    results = {name: result for name, result in kept["results"].items() if name in MODELS}
    for name in names:
        results[name] = {**work_and_memory(name), "reference": references[name].source, "difference": difference_of(name)}
        print(f"{name:20} {results[name]['reference']:22} {results[name]['difference']:.1e}", flush=True)
    facts = {"date": time.strftime("%Y-%m-%d"), "torch": torch.__version__.split("+")[0]}
    KEPT.write_text(json.dumps({**facts, "results": dict(sorted(results.items()))}, indent=2) + "\n")


def work_and_memory(name: str) -> dict[str, int]:
    """Multiply-adds of one image, and the bytes that training keeps of it, at the paper's classes, channels and size."""
    entry = MODELS[name]
    with torch.device("meta"):
        network = create_model(name, num_classes=entry.classes, in_channels=entry.channels[0])
    return {"multiply_adds": describe(network).multiply_adds, "activation_bytes": activation_bytes(network)}


def difference_of(name: str) -> float:
    """The largest difference in evaluation and in training."""
    from references.compare import all_references, answers, difference, randomise, with_the_same_weights, without_chance

    entry, reference = MODELS[name], all_references()[name]
    torch.manual_seed(0)
    shape = {"num_classes": entry.classes, "in_channels": entry.channels[0], "image_size": reference.size}
    ours = create_model(name, **shape, **reference.options)
    randomise(ours)
    theirs = without_chance(with_the_same_weights(ours, reference, entry.key_map))
    without_chance(ours)
    images = torch.randn(IMAGES, entry.channels[0], *ours.preprocess.size, generator=torch.Generator().manual_seed(IMAGES))
    return max(
        difference(
            answers(ours, images, training, (lambda network, pixels: network.forward_train(pixels)) if training else ours_alone),
            answers(theirs, images, training, reference.outputs),
        )
        for training in (False, True)
    )


def ours_alone(network: torch.nn.Module, images: torch.Tensor) -> dict[str, torch.Tensor]:
    """The logits by name."""
    return {"logits": network(images)}


if __name__ == "__main__":
    main()
