"""The encodings that evolve: rendering against formulas by hand, and mutations that keep what must hold."""

import colorsys
import math

import numpy as np
import pytest
import torch
from scipy import stats

from neocog.attack.encodings import ENCODINGS, polynomial_mutation
from neocog.attack.encodings.cppn import ACTIVATIONS, MOST_LINKS, Cppn, as_rgb, first_cppn, mutated_cppn, rendered_cppn

SHAPE = (3, 12, 10)


def draws(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("shape", [SHAPE, (1, 8, 8)])
def test_every_genome_draws_a_picture_in_range(name, shape):
    encoding, numbers = ENCODINGS[name], draws()
    genome = encoding.first(shape, numbers)
    for generation in range(60):
        picture = encoding.render(genome, shape)
        assert picture.shape == shape
        assert picture.dtype == torch.float32
        assert 0 <= float(picture.min()) <= float(picture.max()) <= 1
        genome = encoding.mutate(genome, generation, numbers)


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_mutation_leaves_the_parent_and_follows_from_the_seed(name):
    encoding = ENCODINGS[name]
    parent = encoding.first(SHAPE, draws())
    before = encoding.render(parent, SHAPE)
    children = [encoding.render(encoding.mutate(parent, 0, draws(seed)), SHAPE) for seed in (1, 1, 2)]
    torch.testing.assert_close(encoding.render(parent, SHAPE), before, rtol=0, atol=0)
    torch.testing.assert_close(children[0], children[1], rtol=0, atol=0)
    assert not torch.equal(children[0], children[2])
    assert encoding.summary
    assert encoding.source.startswith(("A. Nguyen", "K. O. Stanley"))


def test_the_direct_encoding_is_drawn_evenly():
    pixels = ENCODINGS["direct"].first((3, 100, 100), draws())
    assert stats.kstest(pixels.ravel(), "uniform").pvalue > 0.01


@pytest.mark.parametrize(("generation", "share"), [(0, 0.1), (999, 0.1), (1000, 0.05), (2500, 0.025)])
def test_ever_fewer_pixels_are_mutated(generation, share):
    encoding = ENCODINGS["direct"]
    parent = encoding.first((3, 200, 200), draws())
    moved = (encoding.mutate(parent, generation, draws(1)) != parent).mean()
    assert moved == pytest.approx(share, rel=0.05)


def test_the_steps_of_the_polynomial_mutation_are_distributed_as_debs_formula():
    """The density of a step d is 8 (1 - |d|)^15 between -1 and 1."""
    steps = polynomial_mutation(np.zeros(100_000), 1.0, (-0.5, 0.5), draws())
    inside = np.abs(steps) < 0.5

    def below(step):
        return np.where(step < 0, 0.5 * (1 + np.minimum(step, 0)) ** 16, 1 - 0.5 * (1 - np.maximum(step, 0)) ** 16)

    assert stats.kstest(steps[inside], below).pvalue > 0.01
    assert np.mean(~inside) < 1e-3


def test_values_stay_within_bounds_and_unmoved_ones_stay():
    values = np.array([0.0, 1.0] * 500)
    moved = polynomial_mutation(values, 0.5, (0.0, 1.0), draws())
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert np.array_equal(polynomial_mutation(values, 0.0, (0.0, 1.0), draws()), values)


def test_a_network_by_hand():
    """sine(2 x) feeds a grey output: linear(0.5 sine(2 x) - y + 0.25)."""
    genome = Cppn((5, 4), 1, {5: "sine", 4: "linear"}, {(0, 5): 2.0, (5, 4): 0.5, (1, 4): -1.0, (3, 4): 0.25})
    picture = rendered_cppn(genome, (1, 4, 6))
    for row in range(4):
        for column in range(6):
            x, y = (column + 0.5) / 3 - 1, (row + 0.5) / 2 - 1
            value = min(max(0.5 * math.sin(2 * x) - y + 0.25, -1), 1)
            assert float(picture[0, row, column]) == pytest.approx((value + 1) / 2, abs=1e-6)


def test_distance_is_the_third_input_and_activations_are_theirs():
    for name, formula in {
        "gaussian": lambda value: math.exp(-value * value),
        "sigmoid": lambda value: 2 / (1 + math.exp(-value)) - 1,
        "sine": math.sin,
        "linear": lambda value: min(max(value, -1), 1),
    }.items():
        genome = Cppn((4,), 1, {4: name}, {(2, 4): 1.5})
        corner = float(rendered_cppn(genome, (1, 2, 2))[0, 0, 0])
        assert corner == pytest.approx((formula(1.5 * math.hypot(0.5, 0.5)) + 1) / 2, abs=1e-6)
    assert set(ACTIVATIONS) == {"gaussian", "sigmoid", "sine", "linear"}


def test_a_genome_has_no_size():
    genome = first_cppn((3, 1, 1), draws())
    for _ in range(5):
        genome = mutated_cppn(genome, 0, draws(5))
    large, small = rendered_cppn(genome, (3, 90, 90)), rendered_cppn(genome, (3, 30, 30))
    torch.testing.assert_close(large[:, 1::3, 1::3], small, atol=1e-5, rtol=0)  # every third centre is the same point


def test_three_outputs_are_hue_saturation_and_brightness():
    planes = torch.rand(3, 5, 7, generator=torch.Generator().manual_seed(0))
    found = as_rgb(planes)
    for row in range(5):
        for column in range(7):
            expected = colorsys.hsv_to_rgb(*planes[:, row, column].tolist())
            assert found[:, row, column].tolist() == pytest.approx(expected, abs=1e-5)


def test_networks_grow_and_stay_without_loops():
    genome, numbers = first_cppn(SHAPE, draws()), draws(3)
    assert (len(genome.order), len(genome.weights), genome.hidden) == (3, 12, ())
    largest = 0
    for generation in range(1500):
        genome = mutated_cppn(genome, generation, numbers)
        places = {node: place for place, node in enumerate((*range(4), *genome.order))}
        assert len(set(genome.order)) == len(genome.order)
        assert set(genome.activations) == set(genome.order)
        assert all(places[source] < places[target] for source, target in genome.weights)
        assert all(source not in genome.order[-3:] for source, _ in genome.weights)
        assert all(-10 <= weight <= 10 for weight in genome.weights.values())
        largest = max(largest, len(genome.hidden))
    assert largest > 10
    assert len(genome.weights) <= MOST_LINKS + 1
