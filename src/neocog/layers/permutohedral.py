"""Gaussian filtering of points in several dimensions on the permutohedral lattice.

A. Adams, J. Baek, A. Davis, 2010, "Fast High-Dimensional Filtering Using the Permutohedral Lattice",
https://doi.org/10.1111/j.1467-8659.2009.01645.x. Points are splatted onto the corners of the simplex that they lie in,
the corners are blurred along each axis of the lattice, and the points read the result back. The cost grows
with the number of points, not with its square, and no neighbourhood is cut off.
"""

import math

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

__all__ = ["PermutohedralLattice"]

Points = NDArray[np.float32]


class PermutohedralLattice:
    """The lattice around given points; it filters any values that stand at them.

    The kernel between two points approximates exp(-distance**2 / 2), up to a factor that is the same for all.

    Args:
        features: the points; divide each coordinate by the standard deviation that the Gaussian shall have there.
    """

    def __init__(self, features: Float[np.ndarray, "n d"]) -> None:
        from scipy import sparse  # takes a while to import

        count, dimensions = features.shape
        corner, rank, weights = _enclosing_simplex(features.astype(np.float32))
        keys = _corners(corner, rank)
        number = _Numbering(corner)
        used, places = np.unique(number(keys), return_inverse=True)
        starts = np.arange(0, count * (dimensions + 1) + 1, dimensions + 1)
        shape = (count, len(used))
        self._slice = sparse.csr_matrix((weights.reshape(-1), places.reshape(-1).astype(np.int32), starts), shape=shape)
        self._splat = self._slice.T.tocsr()
        first = np.empty(len(used), dtype=np.int64)
        first[places.reshape(-1)] = np.arange(places.size)
        self._neighbours = _neighbours(keys.reshape(-1, dimensions + 1)[first], used, number)

    def filter(self, values: Float[np.ndarray, "n c"]) -> Float[np.ndarray, "n c"]:
        """The sum over all points of the kernel times their values, at every point, up to the lattice's factor."""
        held = np.zeros((self._splat.shape[0] + 1, values.shape[1]), dtype=np.float32)  # the last row stands for corners that are not there
        held[:-1] = self._splat @ values.astype(np.float32)
        for before, after in self._neighbours:
            blurred = held[before]
            blurred += held[after]
            blurred *= 0.5
            held[:-1] += blurred
        filtered: Points = self._slice @ held[:-1]
        return filtered


def _enclosing_simplex(
    features: Points,
) -> tuple[Int[np.ndarray, "n w"], Int[np.ndarray, "n w"], Float[np.ndarray, "n w"]]:
    """The simplex around each point: its corner of remainder 0, the order of the coordinates, and barycentric weights (section 3)."""
    raised = _elevated(features)
    width = raised.shape[1]
    corner = np.rint(raised / width).astype(np.int32) * width
    excess = corner.sum(axis=1, keepdims=True) // width
    rest = raised - corner
    rank = np.empty_like(corner)
    np.put_along_axis(rank, np.argsort(-rest, axis=1, kind="stable"), np.arange(width, dtype=np.int32)[None, :], axis=1)
    rank += excess  # rounding may have left the plane; the coordinates that were rounded furthest are taken back
    over, under = rank >= width, rank < 0
    corner += width * (under.astype(np.int32) - over.astype(np.int32))
    rank += width * (under.astype(np.int32) - over.astype(np.int32))
    rest = ((raised - corner) / width).astype(np.float32)
    ordered = np.empty_like(rest)
    np.put_along_axis(ordered, rank, rest, axis=1)  # falling from rank 0
    weights = np.empty_like(rest)
    weights[:, 1:] = (ordered[:, :-1] - ordered[:, 1:])[:, ::-1]
    weights[:, 0] = 1 - weights[:, 1:].sum(axis=1)
    return corner, rank, weights


def _elevated(features: Points) -> Points:
    """The points in the plane of one dimension more whose coordinates sum to 0, scaled so that one blur has unit variance."""
    count, dimensions = features.shape
    place = np.arange(dimensions)
    scaled = features * ((dimensions + 1) * np.sqrt(2 / 3) / np.sqrt((place + 1) * (place + 2))).astype(np.float32)
    raised = np.zeros((count, dimensions + 1), dtype=np.float32)
    raised[:, :-1] = np.cumsum(scaled[:, ::-1], axis=1)[:, ::-1]
    raised[:, 1:] -= scaled * (place + 1).astype(np.float32)
    return raised


def _corners(corner: NDArray[np.int32], rank: NDArray[np.int32]) -> Int[np.ndarray, "n w w"]:
    """All corners of each simplex, by their remainder: that of remainder 0 moved by the canonical simplex, in the point's order."""
    width = corner.shape[1]
    remainder, place = np.arange(width, dtype=np.int32)[:, None], np.arange(width, dtype=np.int32)[None, :]
    canonical = np.where(place < width - remainder, remainder, remainder - width)
    return corner[:, None, :] + canonical.T[rank].transpose(0, 2, 1)


class _Numbering:
    """One number for each lattice point that is a corner of the given simplices or a neighbour of one.

    Args:
        corner: the simplices' corners of remainder 0; all others lie within twice the lattice's width of them.
    """

    def __init__(self, corner: NDArray[np.int32]) -> None:
        reach = 2 * corner.shape[1]
        self._low = [int(column.min()) - reach for column in corner.T]
        self._span = [int(column.max()) + reach - low + 1 for column, low in zip(corner.T, self._low, strict=True)]
        if math.prod(self._span[:-1]) >= 2**63:
            raise ValueError("expected points whose lattice can be numbered, found ones too far apart; divide them by larger deviations")

    def __call__(self, keys: NDArray[np.int32]) -> NDArray[np.int64]:
        """The last coordinate follows from the others, which sum with it to 0."""
        numbers = np.zeros(keys.shape[:-1], dtype=np.int64)
        for axis, (low, span) in enumerate(zip(self._low[:-1], self._span[:-1], strict=True)):
            numbers *= span
            numbers += keys[..., axis]
            numbers -= low
        return numbers


def _neighbours(
    corners: NDArray[np.int32], used: NDArray[np.int64], number: _Numbering
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """For each axis the rows of the two neighbours of every corner; one past the last row where there is none."""
    width = corners.shape[1]
    found = []
    for axis in range(width):
        step = np.ones(width, dtype=np.int32)
        step[axis] = 1 - width
        found.append((_rows(number(corners + step), used), _rows(number(corners - step), used)))
    return found


def _rows(asked: NDArray[np.int64], used: NDArray[np.int64]) -> NDArray[np.int64]:
    places = np.searchsorted(used, asked).clip(max=len(used) - 1)
    rows: NDArray[np.int64] = np.where(used[places] == asked, places, len(used))
    return rows
