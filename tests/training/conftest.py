"""What several tests of training share."""

from collections.abc import Iterator

import pytest

from training.kills import Commands


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Runs neocog's commands in processes that can be killed."""
    with Commands(tmp_path_factory.mktemp("cache-of-commands")) as started:
        yield started
