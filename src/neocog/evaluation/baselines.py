"""What classical methods make of the noisy pictures that a network is measured on.

They know the noise where the task does, else they estimate it picture by picture; nothing of them is learnt.
"""

import importlib.util
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64
from numpy.typing import NDArray
from torch import Tensor

from neocog.batch import Batch
from neocog.data.loader import Loader
from neocog.evaluation.evaluate import Baseline, Evaluation
from neocog.metrics.restoration import RestorationMetrics
from neocog.progress import Progress
from neocog.tasks import Task
from neocog.tasks.denoise import Denoise

__all__ = ["BASELINES", "Classical", "noise_deviation", "with_baselines"]

Pixels = NDArray[Any]  # float64 "h w" or "h w 3", the scale [0, 1]
WIDTHS = tuple(round(0.3 + 0.1 * step, 1) for step in range(23))  # standard deviations of the Gaussian filter, in pixels
SMALLEST = 8  # pixels a side that patches and wavelets need; smaller pictures stay as they are
MILD = 20 / 255  # noise that the smaller median suits


@dataclass(frozen=True)
class Classical:
    """A method that is not learnt.

    Attributes:
        restore: (noisy picture, standard deviation of its noise) -> restored picture, both on the scale [0, 1].
        settings: in a few words; sigma is the standard deviation of the noise.
        needs: the package beside scikit-image that it needs; empty for none.
    """

    restore: Callable[[Pixels, float], Pixels]
    settings: str
    needs: str = ""


def with_baselines(evaluation: Evaluation, task: Task, loader: Loader, indices: Int64[Tensor, "n"], progress: Progress) -> Evaluation:
    """The evaluation of a denoising with those of classical methods beside it; of another task as it is.

    Args:
        evaluation: of the network.
        task: of the network; its noise is that of the evaluation.
        loader: of the dataset.
        indices: the pictures of the evaluation.
        progress: told of every picture.
    """
    if not isinstance(task, Denoise):
        return evaluation
    known = None if evaluation.noise is None else task.deviation  # pictures that had their noise do not tell how much
    usable = {name: method for name, method in BASELINES.items() if not method.needs or importlib.util.find_spec(method.needs)}
    sums = {name: task.metrics() for name in usable}
    seconds = dict.fromkeys(usable, 0.0)
    progress.start("classical methods", len(indices))
    for row in indices.split(1):
        batch = task.disturb(loader.batch(row), 0, None)
        noisy = _as_array(batch)
        deviation = noise_deviation(noisy) if known is None else known
        for name, method in usable.items():
            started = time.perf_counter()
            restored = method.restore(noisy, deviation)
            seconds[name] += time.perf_counter() - started
            task.compare(sums[name], _as_outputs(restored), batch, loader.dataset.target)
        progress.advance()
    progress.done()
    how = "sigma estimated" if known is None else f"sigma {255 * known:g} of 255, known"
    missing = tuple(f"{name} is left out: it needs the package {BASELINES[name].needs}" for name in BASELINES if name not in usable)
    found = tuple(_baseline(name, usable[name], sums[name], seconds[name], how) for name in usable)
    return replace(evaluation, baselines=found, notes=(*evaluation.notes, *missing))


def _baseline(name: str, method: Classical, sums: RestorationMetrics, seconds: float, how: str) -> Baseline:
    figures = sums.compute()
    return Baseline(name, f"{method.settings}; {how}", figures["psnr"], figures["ssim"], seconds)


def noise_deviation(picture: Pixels) -> float:
    """The standard deviation of noise that is alike everywhere, told from one picture.

    J. Immerkaer, "Fast Noise Variance Estimation", 1996, https://doi.org/10.1006/cviu.1996.0060, equation 3: the mean of
    the absolute answers of a mask that ignores planes. A picture of less than 3 x 3 pixels shows none.
    """
    planes = _planes(picture)
    if min(planes.shape[1:]) < 3:
        return 0.0
    down = planes[:, :-2] - 2 * planes[:, 1:-1] + planes[:, 2:]
    both = down[:, :, :-2] - 2 * down[:, :, 1:-1] + down[:, :, 2:]
    return float(np.sqrt(np.pi / 2) * np.abs(both).mean() / 6)


def _gaussian(noisy: Pixels, deviation: float) -> Pixels:
    """Of the width whose risk C. Stein's estimate (1981, https://doi.org/10.1214/aos/1176345632) holds for the least."""
    from skimage.filters import gaussian

    def smoothed(width: float) -> Pixels:
        return np.asarray(gaussian(noisy, sigma=width, mode="reflect", channel_axis=2 if noisy.ndim == 3 else None))

    def risk(width: float) -> float:
        offsets = np.arange(-int(4 * width + 0.5), int(4 * width + 0.5) + 1)
        own = 1 / np.exp(-0.5 * (offsets / width) ** 2).sum()  # of the pixel itself, along one axis
        return float(((smoothed(width) - noisy) ** 2).mean() + 2 * deviation**2 * own**2)

    return smoothed(min(WIDTHS, key=risk)) if deviation > 0 else noisy


def _median(noisy: Pixels, deviation: float) -> Pixels:
    from skimage.filters import median

    side = 3 if deviation <= MILD else 5
    return _stacked([median(plane, np.ones((side, side)), mode="reflect", behavior="ndimage") for plane in _planes(noisy)])


def _total_variation(noisy: Pixels, deviation: float) -> Pixels:
    from skimage.restoration import denoise_tv_chambolle

    return np.asarray(denoise_tv_chambolle(noisy, weight=max(0.8 * deviation, 1e-6), channel_axis=2 if noisy.ndim == 3 else None))


def _non_local_means(noisy: Pixels, deviation: float) -> Pixels:
    from skimage.restoration import denoise_nl_means

    if min(noisy.shape[:2]) < SMALLEST:
        return noisy
    patches: Mapping[str, Any] = {"patch_size": 5, "patch_distance": 6, "fast_mode": True}
    axis = 2 if noisy.ndim == 3 else None
    return np.asarray(denoise_nl_means(noisy, h=max(0.6 * deviation, 1e-6), sigma=deviation, channel_axis=axis, **patches))


def _wavelet(noisy: Pixels, deviation: float) -> Pixels:
    from skimage.restoration import denoise_wavelet

    if deviation == 0 or min(noisy.shape[:2]) < SMALLEST:
        return noisy
    axis = 2 if noisy.ndim == 3 else None
    sigma = [deviation] * 3 if axis else deviation
    return np.asarray(denoise_wavelet(noisy, sigma=sigma, wavelet="db1", method="BayesShrink", mode="soft", channel_axis=axis))


BASELINES: Mapping[str, Classical] = {
    "gaussian": Classical(_gaussian, "the width of the least risk by Stein's estimate"),
    "median": Classical(_median, "5x5 pixels, 3x3 for sigma up to 20"),
    "total variation": Classical(_total_variation, "Chambolle, weight 0.8 sigma"),
    "non-local means": Classical(_non_local_means, "patches 5x5, distance 6, h 0.6 sigma, fast"),
    "wavelet": Classical(_wavelet, "BayesShrink, db1, soft", needs="pywt"),
}
"""By name; all are scikit-image's. Settings are those that did best on eight pictures of bsd/train at sigma 15, 25 and 50 together."""


def _planes(picture: Pixels) -> Pixels:
    """Channels first."""
    return picture[None] if picture.ndim == 2 else picture.transpose(2, 0, 1)


def _stacked(planes: list[Pixels]) -> Pixels:
    return planes[0] if len(planes) == 1 else np.stack(planes, axis=2)


def _as_array(batch: Batch) -> Pixels:
    """The one picture of a batch."""
    array = batch.images[0].to(torch.float64).numpy()
    return array[0] if len(array) == 1 else np.ascontiguousarray(array.transpose(1, 2, 0))


def _as_outputs(restored: Pixels) -> Tensor:
    """As a network would answer, a batch of one."""
    return torch.from_numpy(np.ascontiguousarray(_planes(restored))).to(torch.float32)[None]
