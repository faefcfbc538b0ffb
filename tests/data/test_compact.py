"""Compact sequences hold what lists hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neocog.data.compact import DIGEST_BYTES, Digests, Names

texts = st.lists(st.text(max_size=12) | st.sampled_from(["\udce9.png", "a\ud800", "", "日本/é.jpg"]), max_size=30)
digests = st.lists(st.sampled_from([b"", bytes(DIGEST_BYTES)]) | st.binary(min_size=DIGEST_BYTES, max_size=DIGEST_BYTES), max_size=30)


@given(texts, st.integers(-40, 40), st.integers(-40, 40))
def test_names(names, start, stop):
    held = Names(names)
    assert held == names
    assert names == held
    assert list(held) == names
    assert held[start:stop] == names[start:stop]
    assert list(reversed(held)) == names[::-1]
    if -len(names) <= start < len(names):
        assert held[start] == names[start]
    else:
        with pytest.raises(IndexError):
            held[start]


@given(digests, st.integers(-40, 40))
def test_digests(given_ones, start):
    held = Digests(given_ones)
    assert held == given_ones
    assert given_ones == held
    assert held[start:] == given_ones[start:]
    assert Digests.of_rows(held.rows, held.known) == held
    empty = Digests.empty(len(given_ones))
    assert list(empty) == [b""] * len(given_ones)
    for index, digest in enumerate(given_ones):
        empty.put(index, digest)
    assert empty == held


@given(st.lists(st.sampled_from([number.to_bytes(DIGEST_BYTES, order) for number in range(4) for order in ("little", "big")]), max_size=40))
def test_groups_are_of_equal_digests(given_ones):
    groups = Digests(given_ones).groups()
    assert groups.shape == (len(given_ones),)
    for one in range(len(given_ones)):
        for other in range(one):
            assert (groups[one] == groups[other]) == (given_ones[one] == given_ones[other])


@pytest.mark.parametrize("held", [Names(["a"]), Digests([bytes(16)])])
def test_they_equal_no_other_thing(held):
    assert held != 1
    assert held != "a"
    assert held != [1]
    with pytest.raises(TypeError):
        hash(held)


def test_they_take_little_more_than_what_they_hold():
    names = Names(f"class/{index:07d}.png" for index in range(1000))
    assert len(names._text) + names._ends.itemsize * len(names._ends) < 1000 * (17 + 9)
    held = Digests.empty(1000)
    assert held.rows.nbytes + held.known.nbytes == 17_000
    assert held.rows.dtype == np.uint8
