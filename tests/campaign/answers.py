"""Holds an error against the three lines that it must say."""

import pytest

__all__ = ["refused"]


def refused(kind, call, expected, found, remedy):
    """Check that a call raises an error of this very class with these texts."""
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    assert (caught.value.expected, caught.value.found, caught.value.remedy) == (expected, found, remedy)
