"""Random draws: even, independent, and the same wherever they are drawn."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from neocog.random import generator, reseed, seed_of, uniform

KEYS = torch.arange(20_000)


def test_numbers_lie_in_the_half_open_unit_interval():
    numbers = uniform(0, "test", 0, KEYS, 50)
    assert numbers.dtype == torch.float32
    assert numbers.shape == (20_000, 50)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert numbers.max() > 0.99999


@pytest.mark.parametrize("keys", [KEYS, KEYS * 1024, -KEYS, KEYS + 2**40], ids=["dense", "multiples", "negative", "large"])
def test_they_are_uniform_over_keys_and_over_draws(keys):
    numbers = uniform(3, "test", 1, keys, 8).double()
    for column in numbers.T:
        assert stats.kstest(column, "uniform").pvalue > 1e-4
    assert stats.kstest(uniform(3, "test", 1, keys[:1], 20_000)[0].double(), "uniform").pvalue > 1e-4


def test_draws_neighbours_epochs_seeds_and_purposes_are_uncorrelated():
    first = uniform(0, "test", 0, KEYS, 2).double()
    others = [
        first[:, 1],
        first[:, 0].roll(1),
        uniform(1, "test", 0, KEYS, 1)[:, 0].double(),
        uniform(0, "test", 1, KEYS, 1)[:, 0].double(),
        uniform(0, "tesu", 0, KEYS, 1)[:, 0].double(),
    ]
    for other in others:
        assert abs(stats.pearsonr(first[:, 0], other).statistic) < 4 / len(KEYS) ** 0.5


def test_pairs_fill_the_square_evenly():
    pairs = (uniform(5, "test", 0, KEYS, 2) * 16).long()
    counts = torch.bincount(pairs[:, 0] * 16 + pairs[:, 1], minlength=256)
    assert stats.chisquare(counts).pvalue > 1e-4


@settings(max_examples=40, deadline=None)
@given(keys=st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=20), draws=st.integers(1, 6), seed=st.integers(0, 2**31))
def test_a_row_is_a_function_of_its_key_alone(keys, draws, seed):
    together = uniform(seed, "test", 2, torch.tensor(keys), draws)
    for i, key in enumerate(keys):
        assert torch.equal(together[i], uniform(seed, "test", 2, torch.tensor([key]), draws)[0])
    assert torch.equal(together, uniform(seed, "test", 2, torch.tensor(keys), draws + 3)[:, :draws])


def test_equal_keys_draw_equal_numbers_and_different_ones_different():
    numbers = uniform(0, "test", 0, torch.tensor([4, 5, 4]), 4)
    assert torch.equal(numbers[0], numbers[2])
    assert not torch.equal(numbers[0], numbers[1])


def test_mixing_is_splitmix64():
    """The published generator, in Python's own integers."""
    mask = 2**64 - 1

    def mix(z):
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return z ^ (z >> 31)

    base = seed_of(9, "test", 4)
    for key in (0, 1, 77, 2**40 + 5):
        row = mix((key * 0xBF58476D1CE4E5B9 + base) & mask)
        expected = [(mix((row + i * 0x9E3779B97F4A7C15) & mask) >> 40) * 2.0**-24 for i in (1, 2, 3)]
        assert uniform(9, "test", 4, torch.tensor([key]), 3)[0].tolist() == expected


def test_seeds_depend_on_every_argument_and_on_their_borders():
    seeds = {
        seed_of(1, "a"),
        seed_of(2, "a"),
        seed_of(1, "b"),
        seed_of(1, "a", 0),
        seed_of(1, "a", 0, 0),
        seed_of(1, "a", 1),
        seed_of(1, "a", 11),
        seed_of(1, "a", 1, 1),
    }
    assert len(seeds) == 8
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_generators_repeat_themselves():
    def draw(*arguments):
        return torch.rand(5, generator=generator(*arguments))

    assert torch.equal(draw(0, "order", 3), draw(0, "order", 3))
    for other in ((1, "order", 3), (0, "weights", 3), (0, "order", 4), (0, "order", 3, 0)):
        assert not torch.equal(draw(0, "order", 3), draw(*other))


def test_reseeding_makes_dropout_repeat_itself():
    def drop(*arguments):
        reseed(*arguments)
        return torch.nn.functional.dropout(torch.ones(50))

    assert torch.equal(drop(0, 7), drop(0, 7))
    assert not torch.equal(drop(0, 7), drop(0, 8))
    assert not torch.equal(drop(0, 7), drop(0, 7, 1))
