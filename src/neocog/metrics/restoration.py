"""How near a restored picture comes to the clean one: peak signal-to-noise ratio and structural similarity."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.errors import DataError
from neocog.images import Picture

__all__ = ["MOST_DECIBELS", "Known", "RestorationMetrics", "psnr", "ssim"]

MOST_DECIBELS = 100.0
"""The peak signal-to-noise ratio that equal pictures count with: it is infinite, and a mean of pictures must not be."""

RADIUS, DEVIATION = 5, 1.5  # of the Gaussian window, in pixels
K1, K2 = 0.01, 0.03


@dataclass(frozen=True)
class Known:
    """What restored pictures are compared with; one of each for each picture, of its size, depth and channels.

    Attributes:
        clean: the pictures without noise.
        noisy: what the network saw.
    """

    clean: Sequence[Picture]
    noisy: Sequence[Picture]


class RestorationMetrics:
    """PSNR and SSIM of restored pictures, each the mean over the pictures, and those of the noisy ones beside them.

    Metrics: psnr (decibels), ssim (at most 1), noisy_psnr and noisy_ssim.
    """

    primary = "psnr"
    higher_is_better = True

    def __init__(self) -> None:
        self._sums = {name: torch.zeros((), dtype=torch.float64) for name in ("psnr", "ssim", "noisy_psnr", "noisy_ssim", "pictures")}

    def update(self, outputs: Sequence[Picture], targets: Known) -> None:
        """Take pictures in.

        Args:
            outputs: restored pictures.
            targets: their clean ones and their noisy ones.
        """
        for restored, clean, noisy in zip(outputs, targets.clean, targets.noisy, strict=True):
            figures = (psnr(clean, restored), ssim(clean, restored), psnr(clean, noisy), ssim(clean, noisy), 1.0)
            for name, figure in zip(self._sums, figures, strict=True):
                self._sums[name] += figure

    def merge(self, other: "RestorationMetrics") -> None:
        """Take in what another one has gathered over other pictures."""
        self._sums = {name: value + other._sums[name] for name, value in self._sums.items()}

    def compute(self) -> dict[str, float]:
        """The means by name.

        Raises:
            DataError: no picture was taken in.
        """
        count = float(self._sums["pictures"])
        if not count:
            raise DataError("at least one clean picture to measure by", "none", "measure on a split that has pictures")
        return {name: float(value) / count for name, value in self._sums.items() if name != "pictures"}

    def state(self) -> dict[str, Tensor]:
        """The sums by name, as a checkpoint holds them."""
        return {name: value.clone() for name, value in self._sums.items()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from the sums that `state` gave."""
        self._sums = {name: state[name].clone() for name in self._sums}


def psnr(clean: Picture, other: Picture) -> float:
    """Peak signal-to-noise ratio in decibels, over all channels: 10 log10(peak² / mean squared difference).

    Args:
        clean: uint8, whose peak is 255, or uint16, whose peak is 65535.
        other: of the same size and depth.

    Returns:
        at most `MOST_DECIBELS`, which equal pictures have.
    """
    peak, difference = _peak(clean), clean.to(torch.float64) - other.to(torch.float64)
    error = float(difference.square().mean())
    return MOST_DECIBELS if error == 0 else min(10 * math.log10(peak**2 / error), MOST_DECIBELS)


def ssim(clean: Picture, other: Picture) -> float:
    """Structural similarity, the mean over the windows that lie inside the picture, and over the channels.

    Z. Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity", 2004,
    https://doi.org/10.1109/TIP.2003.819861, section III-C: Gaussian windows of 11 by 11 pixels with a standard
    deviation of 1.5, K1 = 0.01, K2 = 0.03. A picture that is smaller than a window is one window, evenly weighted.

    Args:
        clean: uint8, whose range is 255, or uint16, whose range is 65535.
        other: of the same size and depth.
    """
    peak = _peak(clean)
    similarities = [_similarity(first, second, peak) for first, second in zip(clean, other, strict=True)]
    return float(torch.stack(similarities).mean())


def _similarity(first: Tensor, second: Tensor, peak: float) -> Float[Tensor, ""]:
    """Of one channel, which is as much as need be in memory."""
    x, y = first.to(torch.float64), second.to(torch.float64)
    mean_x, mean_y = _window_means(x), _window_means(y)
    variance_x = _window_means(x * x) - mean_x**2
    variance_y = _window_means(y * y) - mean_y**2
    covariance = _window_means(x * y) - mean_x * mean_y
    c1, c2 = (K1 * peak) ** 2, (K2 * peak) ** 2
    above = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    below = (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return (above / below).mean()


def _window_means(values: Float[Tensor, "h w"]) -> Float[Tensor, "rows columns"]:
    if min(values.shape) < 2 * RADIUS + 1:
        return values.mean()[None, None]
    offsets = torch.arange(-RADIUS, RADIUS + 1, dtype=values.dtype, device=values.device)
    weights = torch.exp(-0.5 * (offsets / DEVIATION) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):  # the window is a product of a row and a column
        length = values.shape[axis] - 2 * RADIUS
        shifted = [values.narrow(axis, start, length) * weight for start, weight in enumerate(weights)]
        values = sum(shifted[1:], shifted[0])
    return values


def _peak(picture: Picture) -> float:
    return 255.0 if picture.dtype == torch.uint8 else 65535.0
