"""Bad input against every reader: `python tests/campaign/run.py --cases 10000 --seed 0`.

Every case must end in a value or an error that has words, within its time, with no file of the person's changed.
A case that does not is printed with its reader and number; `--only READER:NUMBER` runs it alone. `--kills 200`
adds trainings that are killed at random and must end as if they were not.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path


def main() -> int:
    """Run the campaign; 1 where there was a fault."""
    from campaign.case import Outcome
    from campaign.harness import LIMIT, campaign, table
    from campaign.readers import names

    arguments = _arguments(names(), LIMIT)
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="neocog-campaign-"))
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    done = 0

    def tell(outcome: Outcome) -> None:
        nonlocal done
        done += 1
        if outcome.fault:
            print(
                f"FAULT {outcome.fault}: --seed {arguments.seed} --only '{outcome.reader}:{outcome.number}'\n{outcome.detail}", flush=True
            )
        if done % 1000 == 0:
            print(f"{done:,} cases in {time.monotonic() - started:.0f} s", flush=True)

    outcomes = campaign(_cases(arguments), seed=arguments.seed, folder=folder, jobs=arguments.jobs, limit=arguments.limit, tell=tell)
    faults = sum(bool(outcome.fault) for outcome in outcomes)
    print(f"{table(outcomes)}\n\n{len(outcomes):,} cases, {faults:,} with a fault, {time.monotonic() - started:.0f} s")
    if faults:
        print(f"their files: {folder}")
    return int(bool(faults) | bool(arguments.kills and _kills(arguments.kills, arguments.seed)))


def _arguments(known: list[str], limit: float) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="in all, shared out evenly among the readers")
    parser.add_argument("--seed", type=int, default=0, help="what all draws follow from")
    parser.add_argument("--readers", nargs="+", choices=known, default=known, help="which of them; all by default")
    parser.add_argument("--only", metavar="READER:NUMBER", help="one case, alone")
    parser.add_argument("--jobs", type=int, default=1, help="cases at once")
    parser.add_argument("--limit", type=float, default=limit, help="seconds for a case")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the files of faulty cases stay; a temporary folder by default")
    parser.add_argument("--kills", type=int, default=0, help="kills of trainings at random times, after the cases")
    return parser.parse_args()


def _cases(arguments: argparse.Namespace) -> list[tuple[str, int]]:
    if arguments.only:
        reader, _, number = arguments.only.rpartition(":")
        return [(reader, int(number))]
    each = -(-arguments.cases // len(arguments.readers))
    return [(reader, number) for reader in arguments.readers for number in range(each)]


def _kills(count: int, seed: int) -> bool:
    """Whether a training that was killed ended otherwise than one that was not."""
    from training.random_kills import kill_at_random

    with tempfile.TemporaryDirectory(prefix="neocog-kills-") as folder:
        report = kill_at_random(Path(folder), count=count, seed=seed, tell=lambda line: print(line, flush=True))
    print(report.describe())
    return bool(report.different)


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])  # in place of this folder
    sys.exit(main())
