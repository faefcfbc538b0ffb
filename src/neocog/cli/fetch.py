"""`neocog fetch`: download a published dataset."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from neocog.cli.command import COMMANDS, Answer, Command
from neocog.cli.parser import Parser
from neocog.progress import Progress, open_progress


def add_arguments(parser: Parser, typed: Sequence[str]) -> None:
    """The name, where to, and from where."""
    from neocog.fetch import FILES

    parser.add_argument("name", metavar="NAME", help=f"of the dataset: {', '.join(sorted(FILES))}")
    parser.add_argument("--folder", type=Path, metavar="PATH", help="the data folder (default: where neocog doctor says)")
    parser.add_argument("--mirrors", nargs="+", metavar="URL", help="addresses to take instead of the published ones")


def run(arguments: argparse.Namespace) -> Answer:
    """Download what is not here yet, and check it."""
    from neocog.fetch import FILES, fetch
    from neocog.machine import data_folder

    folder = (arguments.folder or data_folder()).expanduser()
    mirrors = [mirror if mirror.endswith("/") else f"{mirror}/" for mirror in arguments.mirrors] if arguments.mirrors else None
    with open_progress() as progress:
        home = fetch(arguments.name, folder, mirrors=mirrors, progress=_Bytes(progress))
    published = FILES[arguments.name]
    files = [{"name": file.name, "bytes": file.size, "sha256": file.sha256} for file in published.files]
    return {"dataset": arguments.name, "folder": str(home), "files": files}


def show(answer: Answer) -> None:
    """Where it is, and what to do next."""
    print(f"{answer['dataset']} is in {answer['folder']}")
    print(f"to try: neocog data {answer['dataset']}")


class _Bytes:
    """Tells a progress of the bytes of one file after the other."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._file = ""
        self._have = 0

    def __call__(self, file: str, have: int, whole: int) -> None:
        if file != self._file:
            self._progress.start(file, whole)
            self._file, self._have = file, 0
        self._progress.advance(have - self._have)
        self._have = have


COMMANDS.add("fetch", Command("download a published dataset", 70, add_arguments, run, show))
