"""`neocog evaluate`: how good a network is on pictures whose classes are known."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from neocog.cli.averaging import add_averaging, add_crf, cost_in_words, open_others, print_members
from neocog.cli.command import COMMANDS, Answer, Command
from neocog.cli.examination import add_examinations, examine, show_examinations
from neocog.cli.flags import add_fields, given_fields
from neocog.cli.network import add_network, facts, open_network
from neocog.cli.parser import Parser
from neocog.cli.tables import print_facts, print_table
from neocog.errors import UsageError

MOST_CLASSES_SHOWN = 30
HEADINGS = {"iou": "IoU", "boundary_f1": "boundary F1"}


def add_arguments(parser: Parser, typed: Sequence[str]) -> None:
    """The network, the data, which split of them, and where to write."""
    from neocog.evaluation import OtherNoise

    parser.add_argument("--split", metavar="NAME", help="train, val or test (default: test, else val, else all pictures)")
    parser.add_argument("--save", type=Path, metavar="DIR", help="folder to write to (default: the run's own for its own data)")
    add_averaging(parser)
    add_crf(parser, searched=True)
    add_fields(parser, OtherNoise, title="other noise than a denoising was trained with")
    add_examinations(parser)
    add_network(parser, typed, "[DATA]")


def run(arguments: argparse.Namespace) -> Answer:
    """Ask the network about every picture of the split."""
    from neocog.evaluation import OtherNoise

    network, words = open_network(arguments)
    if len(words) > 1:
        raise UsageError("at most one dataset", ", ".join(words), "evaluate on one after the other")
    others = open_others(arguments)
    known = facts(network)
    data = words[0] if words else None
    examined = examine(network, data, arguments)
    averaged = {"together_with": others, "tta": arguments.tta, "crf": arguments.crf}
    noise = given_fields(arguments, OtherNoise)
    evaluation = network.evaluate(data, split=arguments.split, save=arguments.save, **averaged, **noise)
    for note in evaluation.notes:
        print(f"note: {note}", file=sys.stderr)
    interval = evaluation.interval()
    return {
        **known,
        "metrics": evaluation.named_metrics(),
        "split": evaluation.split,
        "pictures": len(evaluation.indices),
        "interval": None if interval is None else list(interval),
        "classes": evaluation.class_rows(network.class_names),
        "noise": evaluation.noise,
        "baselines": [asdict(baseline) for baseline in evaluation.baselines],
        "files": [str(path) for path in evaluation.files],
        **evaluation.averaging(),
        **examined,
    }


def show(answer: Answer) -> None:
    """The metrics, a row for each class where there are not too many, and what was written."""
    from neocog.evaluation import noise_in_words

    interval = f"  (95 % interval {answer['interval'][0]:.4f} to {answer['interval'][1]:.4f})" if answer["interval"] else ""
    metrics = {name.partition("/")[2]: value for name, value in answer["metrics"].items()}
    print_facts(
        [
            ("split", answer["split"]),
            ("pictures", f"{answer['pictures']:,}"),
            *([("noise", noise_in_words(answer["noise"]))] if answer["noise"] else []),
            *((name.replace("_", " "), f"{value:.4f}{interval if name == 'accuracy' else ''}") for name, value in metrics.items()),
            *((("cost", cost),) if (cost := cost_in_words(answer)) else ()),
        ]
    )
    print_members(answer)
    classes = answer["classes"]
    if 0 < len(classes) <= MOST_CLASSES_SHOWN:
        print()
        rows = [[_cell(value) for value in one.values()] for one in classes]
        headings = ["class", *(HEADINGS.get(name, name.replace("_", " ")) for name in list(classes[0])[1:])]
        print_table(headings, rows, right=headings[1:])
    _show_baselines(answer, metrics)
    if answer["files"]:
        print(f"\nwritten to {Path(answer['files'][0]).parent}: {', '.join(Path(path).name for path in answer['files'])}")
    show_examinations(answer)


def _cell(value: str | int | float) -> str:
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _show_baselines(answer: Answer, metrics: Mapping[str, float]) -> None:
    """What classical methods came to, beneath the noisy pictures themselves and the network."""
    if not answer["baselines"]:
        return
    rows = [
        ["noisy pictures", f"{metrics['noisy_psnr']:.2f}", f"{metrics['noisy_ssim']:.4f}", "as they are"],
        [str(answer["model"]), f"{metrics['psnr']:.2f}", f"{metrics['ssim']:.4f}", _networks(answer)],
    ]
    rows += [[one["method"], f"{one['psnr']:.2f}", f"{one['ssim']:.4f}", one["settings"]] for one in answer["baselines"]]
    print()
    print_table(["method", "PSNR", "SSIM", "settings"], rows, right=["PSNR", "SSIM"])


def _networks(answer: Answer) -> str:
    """Who restored the pictures."""
    networks, views = answer["cost"]["networks"], answer["cost"]["views"]
    words = "the network" if networks == 1 else f"{networks} networks together"
    return words if views == 1 else f"{words}, {views} views"


COMMANDS.add("evaluate", Command("measure a network on pictures whose classes are known", 20, add_arguments, run, show))
