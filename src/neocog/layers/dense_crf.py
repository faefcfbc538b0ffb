"""The fully connected conditional random field, which sharpens class probabilities along the edges of the picture.

P. Krähenbühl, V. Koltun, 2011, "Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials",
https://arxiv.org/abs/1210.5644. Every pixel is joined to every other, the more strongly the nearer they lie and the more
alike they are in colour; mean field inference passes messages by Gaussian filtering.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from neocog.layers.permutohedral import PermutohedralLattice
from neocog.options import check, option

__all__ = ["DenseCrf", "DenseCrfOptions", "dense_crf"]

LEAST_PROBABILITY = 1e-6  # a class that is ruled out could never come back


@dataclass(frozen=True)
class DenseCrfOptions:
    """What can be chosen of the field: equation 3 and section 4 of the paper, whose names are in brackets."""

    appearance: float = option(10.0, "weight of the kernel of position and colour [w1]", low=0)
    near: float = option(60.0, "its standard deviation in position, in pixels [theta alpha]", above=0)
    alike: float = option(10.0, "its standard deviation in colour, in levels of 255 [theta beta]", above=0)
    smoothness: float = option(3.0, "weight of the kernel of position alone [w2]", low=0)
    reach: float = option(3.0, "its standard deviation, in pixels [theta gamma]", above=0)
    crf_iterations: int = option(10, "steps of mean field inference", low=1)

    def __post_init__(self) -> None:
        check(self)


def dense_crf(
    probabilities: Float[Tensor, "k h w"], picture: UInt8[Tensor, "c h w"], options: DenseCrfOptions | None = None
) -> Float[Tensor, "k h w"]:
    """The marginals of mean field inference.

    Args:
        probabilities: of the classes at each pixel, as a network gives them; their negative logarithms are the unary potentials.
        picture: grey or colour, of the same height and width.
        options: weights and widths of the kernels.

    Raises:
        ValueError: picture and probabilities differ in size.
    """
    return DenseCrf(picture, options).marginals(probabilities)


class DenseCrf:
    """The field of one picture; several probabilities, and several weights, may be asked about.

    Both kernels are normalised symmetrically, k(i, j) / sqrt(sum k(i, .) sum k(j, .)), as the authors' own program does,
    so that the weights mean the same for every size of picture. As there, a pixel's own answer is among those that it hears.

    Args:
        picture: grey or colour, "c h w".
        options: weights and widths of the kernels.
    """

    def __init__(self, picture: UInt8[Tensor, "c h w"], options: DenseCrfOptions | None = None) -> None:
        self.options = options or DenseCrfOptions()
        self.size = (picture.shape[-2], picture.shape[-1])
        self._by_appearance = _Appearance(picture, self.options.near, self.options.alike)
        self._by_position = _Position(self.size, self.options.reach)

    def marginals(self, probabilities: Float[Tensor, "k h w"]) -> Float[Tensor, "k h w"]:
        """See `dense_crf`; the compatibility of classes is Potts': equal ones agree, all others disagree alike.

        Raises:
            ValueError: picture and probabilities differ in size.
        """
        if probabilities.shape[-2:] != self.size:
            raise ValueError(f"expected probabilities of the picture's {self.size}, found {tuple(probabilities.shape[-2:])}")
        evidence = probabilities.detach().to("cpu", torch.float32).clamp(min=LEAST_PROBABILITY).log()
        answers = evidence.softmax(dim=0)
        for _ in range(self.options.crf_iterations):
            heard = self.options.appearance * self._by_appearance(answers) + self.options.smoothness * self._by_position(answers)
            answers = (evidence + heard).softmax(dim=0)
        return answers.to(probabilities.device)


class _Appearance:
    """The kernel of position and colour, on the lattice."""

    def __init__(self, picture: Tensor, near: float, alike: float) -> None:
        height, width = picture.shape[-2:]
        rows, columns = np.mgrid[:height, :width].reshape(2, -1).astype(np.float32) / near
        colours = picture.detach().to("cpu", torch.float32).reshape(len(picture), -1).numpy() / alike
        self._lattice = PermutohedralLattice(np.stack([columns, rows, *colours], axis=1))
        sums = self._lattice.filter(np.ones((height * width, 1), dtype=np.float32))
        self._norm = 1 / np.sqrt(sums)

    def __call__(self, answers: Float[Tensor, "k h w"]) -> Float[Tensor, "k h w"]:
        values = answers.reshape(len(answers), -1).numpy().T
        heard = self._lattice.filter(values * self._norm) * self._norm
        return torch.from_numpy(np.ascontiguousarray(heard.T)).reshape(answers.shape)


class _Position:
    """The kernel of position alone: exact, as the product of two matrices with the picture's rows and columns."""

    def __init__(self, size: tuple[int, int], reach: float) -> None:
        self._down, self._across = (_gaussian(side, reach) for side in size)

    def __call__(self, answers: Float[Tensor, "k h w"]) -> Float[Tensor, "k h w"]:
        return self._down @ answers @ self._across


def _gaussian(side: int, reach: float) -> Float[Tensor, "s s"]:
    """Between all places of a line, normalised symmetrically; the normalised kernel of a plane is the product of its lines'."""
    place = torch.arange(side, dtype=torch.float64)
    kernel = torch.exp(-((place[:, None] - place[None, :]) ** 2) / (2 * reach**2))
    norm = kernel.sum(dim=1).rsqrt()
    return (norm[:, None] * kernel * norm[None, :]).to(torch.float32)
