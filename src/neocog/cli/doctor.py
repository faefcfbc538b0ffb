"""`neocog doctor`: what this machine has, where neocog keeps things, and what is missing."""

import argparse
import http.client
import importlib.metadata
import platform
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from neocog.cli.command import COMMANDS, Answer, Command
from neocog.cli.parser import Parser
from neocog.cli.tables import bytes_in_words, print_facts, print_table

LITTLE_DISK = 2_000_000_000
LITTLE_MEMORY = 2_000_000_000
SECONDS_TO_ANSWER = 10.0


def add_arguments(parser: Parser, typed: Sequence[str]) -> None:
    """Whether to try the network."""
    parser.add_argument("--network", action="store_true", help="also try the servers that neocog fetch would ask")


def run(arguments: argparse.Namespace) -> Answer:
    """Look at everything; nothing is changed, and nothing is sent unless asked."""
    from neocog.machine import cache_folder, data_folder

    answer: Answer = {
        "neocog": importlib.metadata.version("neocog"),
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": _packages(),
        "machine": _machine(),
        "folders": {"data": _folder(data_folder()), "cache": _folder(cache_folder())},
        "datasets": _datasets(),
        "network": _network() if arguments.network else None,
    }
    return {**answer, "advice": _advice(answer)}


def show(answer: Answer) -> None:
    """Everything in the order of the arrow from machine to data."""
    machine = answer["machine"]
    accelerators = [f"{one['name']} ({bytes_in_words(one['memory'])})" if one["memory"] else one["name"] for one in machine["accelerators"]]
    folders = [(f"{name} folder", _folder_in_words(folder)) for name, folder in answer["folders"].items()]
    print_facts(
        [
            ("neocog", f"{answer['neocog']} on Python {answer['python']}, {answer['system']}"),
            ("packages", ", ".join(f"{name} {version}" for name, version in answer["packages"].items())),
            ("processor", f"{machine['processor']}, {machine['cores']} cores"),
            ("memory", f"{bytes_in_words(machine['memory'])}, {bytes_in_words(machine['memory_available'])} available"),
            ("accelerators", ", ".join(accelerators) or "none"),
            *folders,
        ]
    )
    print()
    print_table(["dataset", "here", "what it is"], [[one["name"], one["state"], one["summary"]] for one in answer["datasets"]])
    if answer["network"] is not None:
        print()
        print_table(["server", "answers"], [[one["server"], one["state"]] for one in answer["network"]])
    for line in answer["advice"]:
        print(f"\n{line}", end="")
    print("" if answer["advice"] else "\nEverything needed is here.")


def _packages() -> dict[str, str]:
    """The installed version of every direct dependency."""
    needed = importlib.metadata.requires("neocog") or []
    names = [re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in needed if "extra ==" not in requirement]
    return {name: importlib.metadata.version(name) for name in sorted(names)}


def _machine() -> Answer:
    import torch

    from neocog.machine import available_memory, this_machine

    machine = this_machine()
    accelerators: list[Answer] = [
        {"kind": "cuda", "name": torch.cuda.get_device_name(i), "memory": torch.cuda.get_device_properties(i).total_memory}
        for i in range(torch.cuda.device_count())
    ]
    if torch.backends.mps.is_available():
        accelerators.append({"kind": "mps", "name": "Apple's, used where a plan names it", "memory": 0})
    return {
        "processor": machine.processor,
        "cores": machine.cores,
        "memory": machine.memory,
        "memory_available": available_memory(),
        "accelerators": accelerators,
    }


def _folder(path: Path) -> Answer:
    """Where it is, whether it is there, and how many bytes are free on its disk."""
    existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    return {"path": str(path), "exists": path.is_dir(), "free": shutil.disk_usage(existing).free}


def _folder_in_words(folder: Answer) -> str:
    missing = "" if folder["exists"] else ", not there yet"
    return f"{folder['path']} ({bytes_in_words(folder['free'])} free{missing})"


def _datasets() -> list[Answer]:
    """Every named dataset, and whether its files are there; they are not opened."""
    from neocog.data.registry import DATASETS

    return [{"name": name, "summary": DATASETS[name].summary, "state": _state(DATASETS[name])} for name in DATASETS]


def _state(entry: Any) -> str:
    from neocog.errors import SurroundingsError

    try:
        if entry.find is not None:
            entry.find()
    except SurroundingsError:
        return "no"
    return "yes"


def _network() -> list[Answer]:
    """Whether each server that the downloader knows answers at all."""
    from neocog.fetch import FILES
    from neocog.models.published import all_published_weights

    mirrors = {mirror for one in FILES.values() for mirror in one.mirrors} | {one.url for one in all_published_weights() if one.url}
    servers = sorted({"{0.scheme}://{0.netloc}/".format(urlsplit(mirror)) for mirror in mirrors})
    with ThreadPoolExecutor(len(servers)) as pool:
        return [{"server": server, "state": state} for server, state in zip(servers, pool.map(_answers, servers), strict=True)]


def _answers(server: str) -> str:
    began = time.monotonic()
    try:
        with urllib.request.urlopen(urllib.request.Request(server, method="HEAD"), timeout=SECONDS_TO_ANSWER):
            pass
    except urllib.error.HTTPError as error:
        error.close()  # an answer all the same: a server may not show its first page
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        return f"no: {' '.join(str(reason).split()) or type(error).__name__}"
    return f"yes, in {time.monotonic() - began:.1f} s"


def _advice(answer: Answer) -> list[str]:
    """What a person may want to do, one line each."""
    advice = []
    for name, folder in answer["folders"].items():
        if folder["free"] < LITTLE_DISK:
            advice.append(f"little room for the {name} folder: free some, or set NEOCOG_{name.upper()} to a folder on another disk")
    if answer["machine"]["memory_available"] < LITTLE_MEMORY:
        advice.append("little memory available: close other programs, or choose small batches and images")
    if any(one["state"].startswith("no") for one in answer["network"] or ()):
        advice.append("a server does not answer: everything but neocog fetch works without it")
    return advice


COMMANDS.add("doctor", Command("say what this machine has, where data are kept, and what is missing", 90, add_arguments, run, show))
