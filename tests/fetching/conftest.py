"""What the tests of downloading share."""

from collections.abc import Iterator

import pytest

from fetching.server import Server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that runs, with its address."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    made = Server()
    made.address = made.start()
    yield made
    made.stop()
