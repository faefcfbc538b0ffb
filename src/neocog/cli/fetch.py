"""`neocog fetch`: download a published dataset, or published weights of an architecture."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neocog.cli.command import COMMANDS, Answer, Command
from neocog.cli.parser import Parser
from neocog.errors import UsageError
from neocog.progress import Progress, open_progress
from neocog.registry import closest

if TYPE_CHECKING:
    from neocog.fetch import Published
    from neocog.models.published import PublishedWeights


def add_arguments(parser: Parser, typed: Sequence[str]) -> None:
    """The name, where to, and from where."""
    from neocog.fetch import FILES

    datasets = ", ".join(sorted(FILES))
    parser.add_argument("name", metavar="NAME", help=f"of a dataset ({datasets}), or of an architecture with published weights")
    parser.add_argument("--weights", metavar="NAME", help="which of an architecture's weights (default: the first that neocog model names)")
    parser.add_argument("--folder", type=Path, metavar="PATH", help="the data folder (default: where neocog doctor says)")
    parser.add_argument("--mirrors", nargs="+", metavar="URL", help="addresses to take instead of the published ones")


def run(arguments: argparse.Namespace) -> Answer:
    """Download what is not here yet, and check it."""
    from neocog.fetch import FILES

    if arguments.name not in FILES:
        return _fetch_weights(_weights(arguments.name, arguments.weights), arguments)
    if arguments.weights is not None:
        raise UsageError(
            "an architecture beside --weights", f"{arguments.name}, a dataset", "leave --weights away, or name an architecture"
        )
    published = FILES[arguments.name]
    home = _fetch(published, arguments)
    files = [{"name": file.name, "bytes": file.size, "sha256": file.sha256} for file in published.files]
    return {"dataset": arguments.name, "folder": str(home), "files": files}


def show(answer: Answer) -> None:
    """Where it is, and what to do next."""
    if "dataset" in answer:
        print(f"{answer['dataset']} is in {answer['folder']}")
        print(f"to try: neocog data {answer['dataset']}")
        return
    file = Path(answer["folder"]) / answer["files"][0]["name"]
    print(f"the weights {answer['weights']} of {answer['model']} are in {file}")
    print(f"terms: {answer['terms']}")
    print(f"to try: neocog predict --model {answer['model']} --weights {answer['weights'] if answer['found_by_name'] else file} PICTURE")


def _weights(model: str, name: str | None) -> "PublishedWeights":
    """What a name that no dataset has stands for; a misspelt one brings a suggestion among all that can be fetched.

    Raises:
        UsageError: nothing.
    """
    from neocog.fetch import FILES
    from neocog.models.entry import MODELS
    from neocog.models.published import all_published_weights, weights_called

    names = sorted({*FILES, *(weights.model for weights in all_published_weights())})
    if model not in names and model not in MODELS:
        raise UsageError("the name of a dataset, or of an architecture with published weights", repr(model), closest(model, names))
    return weights_called(model, name)


def _fetch_weights(weights: "PublishedWeights", arguments: argparse.Namespace) -> Answer:
    home = _fetch(weights.download, arguments)
    (file,) = weights.download.files
    return {
        "model": weights.model,
        "weights": weights.name,
        "folder": str(home),
        "files": [{"name": file.name, "bytes": (home / file.name).stat().st_size, "sha256": file.sha256}],
        "terms": weights.terms,
        "found_by_name": home / file.name == weights.path,
    }


def _fetch(published: "Published", arguments: argparse.Namespace) -> Path:
    from neocog.fetch import fetch
    from neocog.machine import data_folder

    folder = (arguments.folder or data_folder()).expanduser()
    mirrors = [mirror if mirror.endswith("/") else f"{mirror}/" for mirror in arguments.mirrors] if arguments.mirrors else None
    with open_progress() as progress:
        return fetch(published, folder, mirrors=mirrors, progress=_Bytes(progress))


class _Bytes:
    """Tells a progress of the bytes of one file after the other."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._file = ""
        self._have = 0

    def __call__(self, file: str, have: int, whole: int | None) -> None:
        if file != self._file:
            self._progress.start(file, whole)
            self._file, self._have = file, 0
        self._progress.advance(have - self._have)
        self._have = have


COMMANDS.add("fetch", Command("download a published dataset, or published weights of an architecture", 70, add_arguments, run, show))
