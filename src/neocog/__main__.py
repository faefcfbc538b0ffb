"""The program `neocog`, also as `python -m neocog`."""

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit code.

    Of several processes that torchrun starts together only the first prints an answer.
    """
    from neocog.cli.frame import run_command_line
    from neocog.machine import launched_as

    if launched_as()[0]:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(run_command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
