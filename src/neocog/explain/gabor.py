"""The Gabor function that fits a kernel best: what a simple cell of the visual cortex answers to, as a formula.

D. H. Hubel, T. N. Wiesel, "Receptive fields, binocular interaction and functional architecture in the cat's visual
cortex", 1962, https://doi.org/10.1113/jphysiol.1962.sp006837: cells of the primary visual cortex answer to bars and edges
of one orientation.
J. P. Jones, L. A. Palmer, "An evaluation of the two-dimensional Gabor filter model of simple receptive fields in cat
striate cortex", 1987, https://doi.org/10.1152/jn.1987.58.6.1233: the fit by least squares.

A kernel of several colours is fitted in its main one: the first singular vectors of the matrix "channels pixels" are the
colour and the profile "h w" whose product is nearest to the kernel.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["SMALL", "GaborFit", "fit_gabor", "rebuilt"]

Array = NDArray[np.float64]

SMALL = 5
"""Below this side a kernel has too few values for a free Gaussian: it is round, in the middle, half the side wide."""

ORIENTED = 0.5
"""What `explained` and `selectivity` must reach for a kernel to count as oriented."""

STARTS = 4  # places of the grid from which the fit is refined
SLOWEST = 0.25  # cycles over the kernel; a slower wave is a Gaussian for all that the pixels can tell


@dataclass(frozen=True)
class GaborFit:
    """amplitude * exp(-(u² / sigma_u² + v² / sigma_v²) / 2) * cos(2 pi frequency u + phase), in one colour.

    u runs in the direction of the wave and v along its crests, both from the centre: u = x cos + y sin,
    v = y cos - x sin of the orientation, as in `neocog.layers.gabor`. x runs to the right, y downwards.

    Attributes:
        orientation: direction of the wave in degrees, in [0, 180), from rightwards by downwards: 0 has upright stripes,
            90 has level ones.
        frequency: cycles per pixel, in (0, 0.5].
        phase: in degrees, in (-180, 180]: 0 is a bright bar, 180 a dark one, 90 and -90 are edges.
        sigma_u: standard deviation of the Gaussian across the stripes, in pixels.
        sigma_v: along the stripes.
        centre: x and y of the Gaussian's middle, in pixels from the kernel's.
        amplitude: 0 or more.
        colour: weight of each channel, of length 1; the largest in magnitude is positive.
        explained: share of the kernel's sum of squares, over all channels, that the function accounts for, in [0, 1].
        selectivity: 1 minus the cosine between the function and itself turned by 90 degrees about its centre, at the kernel's
            pixels: about 0 of a round blob, 1 of an edge.
    """

    orientation: float
    frequency: float
    phase: float
    sigma_u: float
    sigma_v: float
    centre: tuple[float, float]
    amplitude: float
    colour: tuple[float, ...]
    explained: float
    selectivity: float

    @property
    def oriented(self) -> bool:
        """Whether the kernel is well described by a wave in one direction."""
        return self.explained >= ORIENTED and self.selectivity >= ORIENTED


def fit_gabor(kernel: Float[Tensor, "c h w"]) -> GaborFit:
    """Fit by least squares, from the best places of a grid over orientation, frequency, width and centre.

    The two amplitudes of the even and the odd wave follow from the rest in closed form, so that only the rest is searched
    (variable projection).

    Args:
        kernel: at least 3 pixels high and wide.

    Raises:
        ValueError: the kernel is smaller.
    """
    if min(kernel.shape[1:]) < 3:
        raise ValueError(f"expected a kernel of at least 3x3 pixels, found {kernel.shape[1]}x{kernel.shape[2]}")
    values = kernel.detach().cpu().double().numpy().reshape(len(kernel), -1)
    total = float(np.square(values).sum())
    colours, strengths, profiles = np.linalg.svd(values, full_matrices=False)
    sign = np.sign(colours[np.abs(colours[:, 0]).argmax(), 0]) or 1.0
    colour, profile = sign * colours[:, 0], sign * strengths[0] * profiles[0]
    search = _Search((kernel.shape[1], kernel.shape[2]), profile)
    found = max((search.refined(start) for start in search.starts()), key=search.explained)
    even, odd = search.amplitudes(found)
    orientation, phase = _folded(found[0], math.atan2(-odd, even))
    return GaborFit(
        orientation=orientation,
        frequency=float(found[1]),
        phase=phase,
        sigma_u=math.exp(found[2]),
        sigma_v=math.exp(found[3]),
        centre=(float(found[4]), float(found[5])),
        amplitude=math.hypot(even, odd),
        colour=tuple(colour.tolist()),
        explained=search.explained(found) / total if total else 0.0,
        selectivity=search.selectivity(found),
    )


def rebuilt(fit: GaborFit, size: tuple[int, int]) -> Float[Tensor, "c h w"]:
    """The fitted function as a kernel.

    Args:
        fit: of a kernel.
        size: height and width in pixels.
    """
    x, y = _places(size)
    angle = math.radians(fit.orientation)
    across, along = x - fit.centre[0], y - fit.centre[1]
    u, v = across * math.cos(angle) + along * math.sin(angle), along * math.cos(angle) - across * math.sin(angle)
    envelope = np.exp(-(np.square(u / fit.sigma_u) + np.square(v / fit.sigma_v)) / 2)
    wave = fit.amplitude * envelope * np.cos(2 * math.pi * fit.frequency * u + math.radians(fit.phase))
    return torch.from_numpy(np.outer(fit.colour, wave).reshape(len(fit.colour), *size)).float()


class _Search:
    """Looks for orientation (radians), frequency, logarithms of both widths, and x and y of the centre.

    Args:
        size: height and width of the profile.
        profile: its values in rows, one after the other.
    """

    def __init__(self, size: tuple[int, int], profile: Array) -> None:
        self._x, self._y = _places(size)
        self._profile = profile
        self._side = side = max(size)
        self._free = min(size) >= SMALL
        width = math.log(side / 2)
        narrow, wide = (math.log(0.5), math.log(2 * side)) if self._free else (width - 1e-6, width + 1e-6)
        apart = side / 2 if self._free else 1e-6
        self._low = np.array([-math.inf, SLOWEST / side, narrow, narrow, -apart, -apart])
        self._high = np.array([math.inf, 0.5, wide, wide, apart, apart])

    def starts(self) -> list[Array]:
        """The best places of a grid, each of another orientation or frequency."""
        angles, frequencies = np.arange(12) * math.pi / 12, np.geomspace(0.5 / self._side, 0.45, 7)
        widths = np.log(self._side * np.array([0.15, 0.3, 0.6]) if self._free else np.array([self._side / 2]))
        weights = np.square(self._profile)
        middle = np.array([self._x @ weights, self._y @ weights]) / max(weights.sum(), 1e-300)
        centres = [np.zeros(2), middle] if self._free else [np.zeros(2)]
        grid = np.array(
            [
                [angle, frequency, across, along, *centre]
                for angle in angles
                for frequency in frequencies
                for across in widths
                for along in widths
                for centre in centres
            ]
        )
        explained = self._solved(grid)[2].reshape(len(angles) * len(frequencies), -1)
        best = explained.max(axis=1).argsort()[::-1][:STARTS]
        rows = best * explained.shape[1] + explained.argmax(axis=1)[best]
        return list(grid[rows])

    def refined(self, start: Array) -> Array:
        """From a place of the grid to the least squares near it."""
        from scipy.optimize import least_squares

        inside = np.clip(start, self._low + 1e-9, self._high - 1e-9)
        found = least_squares(self._residual, inside, bounds=(self._low, self._high), x_scale=[0.3, 0.05, 0.5, 0.5, 1.0, 1.0], xtol=1e-10)
        return np.asarray(found.x, dtype=np.float64)

    def explained(self, parameters: Array) -> float:
        """How much of the profile's sum of squares the function accounts for."""
        return float(np.square(self._profile).sum() - np.square(self._residual(parameters)).sum())

    def amplitudes(self, parameters: Array) -> tuple[float, float]:
        """Those of the even and the odd wave."""
        even, odd, _ = self._solved(parameters[None])
        return float(even[0]), float(odd[0])

    def selectivity(self, parameters: Array) -> float:
        """See `GaborFit`; both are computed at the kernel's pixels."""
        even, odd = self.amplitudes(parameters)
        turned = parameters + np.array([math.pi / 2, 0, 0, 0, 0, 0])
        pairs = (_waves(self._x, self._y, one[None]) for one in (parameters, turned))
        waves = [even * cosine[0] + odd * sine[0] for cosine, sine in pairs]
        length = math.sqrt(float(np.square(waves[0]).sum() * np.square(waves[1]).sum()))
        return 1 - float(waves[0] @ waves[1]) / length if length else 0.0

    def _residual(self, parameters: Array) -> Array:
        cosine, sine = _waves(self._x, self._y, parameters[None])
        even, odd, _ = self._solved(parameters[None])
        left: Array = self._profile - even[0] * cosine[0] - odd[0] * sine[0]
        return left

    def _solved(self, parameters: Array) -> tuple[Array, Array, Array]:
        """For each row of parameters the two amplitudes of least squares, and how much of the sum of squares they account for."""
        cosine, sine = _waves(self._x, self._y, parameters)
        cc, cs, ss = np.square(cosine).sum(axis=1), (cosine * sine).sum(axis=1), np.square(sine).sum(axis=1)
        small = 1e-9 * (cc + ss) + 1e-300  # so that a wave of which the pixels see nothing gets no amplitude
        cc, ss = cc + small, ss + small
        c, s = cosine @ self._profile, sine @ self._profile
        determinant = cc * ss - cs * cs
        even, odd = (ss * c - cs * s) / determinant, (cc * s - cs * c) / determinant
        return even, odd, even * c + odd * s


def _waves(x: Array, y: Array, parameters: Array) -> tuple[Array, Array]:
    """The even and the odd wave under the Gaussian, "rows pixels" each."""
    angle, frequency, log_u, log_v, left, top = (column[:, None] for column in parameters.T)
    u = (x - left) * np.cos(angle) + (y - top) * np.sin(angle)
    v = (y - top) * np.cos(angle) - (x - left) * np.sin(angle)
    envelope = np.exp(-(np.square(u / np.exp(log_u)) + np.square(v / np.exp(log_v))) / 2)
    turns = 2 * math.pi * frequency * u
    return envelope * np.cos(turns), envelope * np.sin(turns)


def _places(size: tuple[int, int]) -> tuple[Array, Array]:
    """The places of every pixel, x and y, from the middle, in rows one after the other."""
    rows, columns = (np.arange(side, dtype=np.float64) - (side - 1) / 2 for side in size)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    return x.ravel(), y.ravel()


def _folded(angle: Any, phase: float) -> tuple[float, float]:
    """Degrees of the direction in [0, 180) and of the phase in (-180, 180]; the opposite direction turns the phase's sign."""
    turns = math.floor(float(angle) / math.pi)
    degrees = math.degrees(float(angle) - turns * math.pi)
    if degrees >= 180:  # rounding, just below a half turn
        degrees, turns = 0.0, turns + 1
    signed = math.degrees(phase if turns % 2 == 0 else -phase)
    return degrees, 180.0 if signed <= -180 else signed
