import numpy as np
import pytest

from neocog.layers.permutohedral import PermutohedralLattice


def exact(features, values):
    """The sum over all pairs of points."""
    squared = ((features[:, None, :].astype(np.float64) - features[None]) ** 2).sum(-1)
    return np.exp(-squared / 2) @ values


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5])
def test_filtered_values_are_near_the_sum_over_all_pairs_of_points(dimensions):
    numbers = np.random.default_rng(dimensions)
    features = numbers.uniform(0, 3, (800, dimensions)).astype(np.float32)
    lattice = PermutohedralLattice(features)
    values = numbers.uniform(0, 1, (800, 4)).astype(np.float32)
    ours, theirs = lattice.filter(values), exact(features, values)
    ours, theirs = (sums / filtered_ones for sums, filtered_ones in zip((ours, theirs), norms(lattice, features), strict=True))
    assert np.abs(ours - theirs).mean() < 0.02


def norms(lattice, features):
    ones = np.ones((len(features), 1), dtype=np.float32)
    return lattice.filter(ones), exact(features, ones)


def test_the_width_of_the_kernel_is_one():
    """The answer to one point, over the distance: its standard deviation."""
    features = np.linspace(-6, 6, 2401, dtype=np.float32)[:, None]
    value = np.zeros((2401, 1), dtype=np.float32)
    value[1200] = 1
    widths = []
    for offset in np.linspace(0, 1, 7):  # where the point lies between two corners of the lattice
        answer = PermutohedralLattice(features + offset).filter(value)[:, 0].astype(np.float64)
        assert answer.min() >= 0
        widths.append(np.sqrt((answer * features[:, 0] ** 2).sum() / answer.sum()))
    assert np.mean(widths) == pytest.approx(1, abs=0.05)


def test_the_filter_is_linear_and_symmetric():
    numbers = np.random.default_rng(3)
    lattice = PermutohedralLattice(numbers.uniform(0, 4, (60, 3)).astype(np.float32))
    kernel = lattice.filter(np.eye(60, dtype=np.float32))
    values = numbers.normal(size=(60, 2)).astype(np.float32)
    np.testing.assert_allclose(lattice.filter(values), kernel @ values, atol=1e-4)
    lopsided = np.abs(kernel - kernel.T)  # the blur along one axis after the other is symmetric but where corners are missing
    assert lopsided.mean() < 0.1 * kernel.mean()


def test_points_far_apart_do_not_hear_each_other():
    features = np.array([[0.0, 0.0], [40.0, 40.0]], dtype=np.float32)
    kernel = PermutohedralLattice(features).filter(np.eye(2, dtype=np.float32))
    assert kernel[0, 1] == kernel[1, 0] == 0
    assert kernel[0, 0] > 0


def test_points_too_far_apart_to_be_numbered_are_refused():
    features = np.zeros((2, 5), dtype=np.float32)
    features[1] = 1e5
    expected = "expected points whose lattice can be numbered, found ones too far apart; divide them by larger deviations"
    with pytest.raises(ValueError, match="lattice can be numbered") as caught:
        PermutohedralLattice(features)
    assert str(caught.value) == expected
