"""What every test stands on: enforced shapes, a cache of its own, and the published datasets where they are."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

# Workers share the machine, so each gets one thread; torch reads this when it is first imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"

# Every annotation of the package is checked at every call, shapes included. This must precede any import of it.
install_import_hook("neocog", "enforce.typecheck")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests marked `realdata` where there are no data."""
    if item.get_closest_marker("realdata") and _data() is None:
        pytest.skip("needs the published datasets: NEOCOG_DATA does not name a folder")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the person's own cache out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEOCOG_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the published datasets; without it the test is skipped."""
    folder = _data()
    if folder is None:
        pytest.skip("needs the published datasets: NEOCOG_DATA does not name a folder")
    return folder


def _data() -> Path | None:
    named = os.environ.get("NEOCOG_DATA")
    folder = Path(named).expanduser() if named else None
    return folder if folder is not None and folder.is_dir() else None
