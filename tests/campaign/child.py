"""The processes in which cases run: `python child.py CONNECTION STACKS FOLDER`.

One loads the program and forks another, which runs case after case; it may crash or hang. Then the first says how
it ended and forks the next. The file of stacks tells where it was.
"""

import faulthandler
import importlib
import os
import sys
from multiprocessing.connection import Connection
from pathlib import Path

MORE_MEMORY = 2 << 30  # bytes, than the program takes when it is loaded
LOADED = ("neocog.api", "neocog.cli.frame", "neocog.data.check", "neocog.training.train", "pyarrow.parquet", "tomlkit", "sklearn.datasets")


def main(connection: Connection, stacks: Path, folder: Path) -> None:
    """Fork processes for cases, until one has no more to do; send the exit code of each other one."""
    from jaxtyping import install_import_hook

    install_import_hook("neocog", "enforce.typecheck")  # a value of another kind than its annotation is a fault too
    for name in LOADED:  # nothing is computed: threads would not survive a fork
        importlib.import_module(name)
    import torch

    from neocog.data.registry import DATASETS, LAYOUTS
    from neocog.models import MODELS

    for registry in (DATASETS, LAYOUTS, MODELS):
        registry.names()
    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])  # it imports the compiler
    while True:
        worker = os.fork()
        if worker == 0:
            _work(connection, stacks, folder)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
        if code == 0:
            return
        connection.send(code)


def _work(connection: Connection, stacks: Path, folder: Path) -> None:
    """Send the own number, then answer each (reader, seed, number) with its Outcome; only faulty cases keep their folder."""
    from campaign.case import remove, run_case
    from campaign.confine import bound_by_rights, limit_memory
    from campaign.readers import find

    bound_by_rights()
    limit_memory(MORE_MEMORY)
    with stacks.open("w") as file:
        faulthandler.enable(file)
        connection.send(os.getpid())
        while True:
            try:
                name, seed, number = connection.recv()
            except EOFError:
                return
            place = folder / f"{name.replace(' ', '-')}-{number}"
            outcome = run_case(find(name), place, seed, number)
            if not outcome.fault:
                remove(place)
            connection.send(outcome)


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])  # in place of this folder
    main(Connection(int(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]))
