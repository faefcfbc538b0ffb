"""What a person is told of a training that has ended, and of where its time went."""

import shlex
from pathlib import Path
from typing import Any

from neocog.cli.command import Answer
from neocog.cli.parser import Parser
from neocog.cli.tables import print_facts, print_table

__all__ = ["add_profile_flag", "show"]

ANY_PICTURE = "picture.jpg"
EPOCHS_SHOWN = 10  # of a profile: the first, and the last ones


def add_profile_flag(parser: Parser) -> None:
    """`--profile`, of all commands that train."""
    parser.add_argument("--profile", action="store_true", help="measure where the time of the epochs goes; the run keeps profile.json")


def show(answer: Answer) -> None:
    """How good it is, where it is, and what to do next."""
    if "profile" in answer:
        _show_profile(answer["profile"])
    run = shlex.quote(answer["run"])
    print_facts(
        [
            *_first_metrics(answer["metrics"]),
            ("run", answer["run"]),
            ("to try", f"neocog evaluate {run}"),
            ("", f"neocog predict {run} {shlex.quote(_a_picture(Path(answer['run'])))}"),
        ]
    )


def _show_profile(profile: dict[str, Any]) -> None:
    """Seconds of each part of the work, a row an epoch."""
    epochs, parts = profile["epochs"], [*profile["shares"], "total"]
    shown = epochs if len(epochs) <= EPOCHS_SHOWN else [epochs[0], *epochs[1 - EPOCHS_SHOWN :]]
    rows = [[str(int(row["epoch"])), *(f"{row[part]:.2f}" for part in parts)] for row in shown]
    rows.append(["all", *(f"{profile['total'][part]:.2f}" for part in parts)])
    rows.append(["share", *(f"{share:.1%}" for share in profile["shares"].values()), ""])
    print_table(["epoch", *parts], rows, right=["epoch", *parts], title="seconds of the training")


def _first_metrics(metrics: dict[str, float]) -> list[tuple[str, str]]:
    """The primary metric, which stands first, of the test split; of the validation split where there is no other."""
    for split in ("test", "val", "train"):
        for name, value in metrics.items():
            if name.startswith(f"{split}/"):
                return [(f"{split} {name.removeprefix(f'{split}/').replace('_', ' ')}", f"{value:.4f}")]
    return []


def _a_picture(run: Path) -> str:
    """A file of the run's data that the network has not learnt from; any name where there is none."""
    from neocog.data.splits import recorded_pictures
    from neocog.run import RunFolder
    from neocog.run.folder import SPLITS

    folder = RunFolder(run)
    data = Path(folder.recipe().dataset)
    base = data if data.is_dir() else data.parent
    first = next(iter(recorded_pictures(folder.require(SPLITS), ("val", "test"))), None)
    if first is None or not (base / first).is_file():
        return ANY_PICTURE
    near = Path.cwd()
    return str((base / first).relative_to(near) if (base / first).is_relative_to(near) else base / first)
