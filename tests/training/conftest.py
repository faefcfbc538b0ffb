"""What several tests of training share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from training.kills import MLP, Commands


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Runs neocog's commands in processes that can be killed."""
    with Commands(tmp_path_factory.mktemp("cache-of-commands")) as started:
        yield started


@pytest.fixture(scope="session")
def whole(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of `MLP` that nobody stopped."""
    run = tmp_path_factory.mktemp("whole") / "run"
    assert commands.run(*MLP, "--out", run) == 0
    return run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A place for a run."""
    return tmp_path / "run"


@pytest.fixture
def said(commands: Commands, tmp_path: Path) -> Callable[..., tuple[int, list[str]]]:
    """Runs a command; gives its exit code and the lines that it said on standard error."""

    def give(*arguments: object, **order: object) -> tuple[int, list[str]]:
        errors = tmp_path / "errors"
        errors.unlink(missing_ok=True)
        code = commands.run(*arguments, errors=str(errors), **order)
        return code, errors.read_text().splitlines()

    return give
