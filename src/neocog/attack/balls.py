"""The images that an attack may reach: in [0, 1], and at most epsilon from where it began. The one place of projections."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neocog.attack.member import Norm
from neocog.random import uniform

__all__ = ["Ball", "distances", "lengths", "steepest"]

ROUNDS = 24  # of shrinking by ever more, until rounding pushes no image out of its ball; at the last it is the centre
LEAST_SHRINKING = 2.0**-23
LEAST_DRAW = 2.0**-25  # half of the step between two draws: the normal distribution's quantile of 0 is infinite


class Ball:
    """The images in [0, 1] at most epsilon from each of some images.

    Exact for the numbers as they are stored: no image that comes from here is outside by rounding, when distances are
    computed in float64.

    Args:
        centres: in [0, 1].
        epsilon: radius, on the same scale.
        norm: how it is measured.
    """

    def __init__(self, centres: Float[Tensor, "b c h w"], epsilon: float, norm: Norm) -> None:
        self.centres, self.epsilon, self.norm = centres, epsilon, norm
        exact = centres.double()
        self._low = _rounded_into(exact - epsilon, centres, upwards=True) if norm == "linf" else None
        self._high = _rounded_into(exact + epsilon, centres, upwards=False) if norm == "linf" else None

    def inside(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The images, those outside moved onto the border: in linf to the nearest point, in l2 towards the centre."""
        if self._low is not None and self._high is not None:
            return images.clamp(self._low, self._high)
        return self._towards_centres(images.clamp(0, 1))

    def anywhere(self, seed: int, attempt: int, rows: Int64[Tensor, "b"]) -> Float[Tensor, "b c h w"]:
        """A point drawn evenly from each ball, before what is outside [0, 1] is cut off.

        Args:
            seed: of all draws.
            attempt: other draws for each.
            rows: of the images; a row's draws do not depend on the others.
        """
        values = self.centres[0].numel()
        draws = uniform(seed, "start of an attack", attempt, rows, values + 1)
        drawn = draws[:, :values].to(self.centres.dtype).view_as(self.centres)
        if self.norm == "linf":
            return self.inside(self.centres + self.epsilon * (2 * drawn - 1))
        direction = torch.special.ndtri(drawn.clamp(min=LEAST_DRAW))
        radius = self.epsilon * draws[:, values].to(drawn.dtype) ** (1 / values)
        return self.inside(self.centres + steepest(direction, "l2") * radius[:, None, None, None])

    def select(self, rows: Int64[Tensor, "n"]) -> "Ball":
        """The balls of some of the images."""
        return Ball(self.centres[rows], self.epsilon, self.norm)

    def _towards_centres(self, images: Tensor) -> Tensor:
        centres = self.centres.double()
        for attempt in range(ROUNDS):
            change = images.double() - centres
            length = lengths(change)
            outside = length > self.epsilon
            if not outside.any():
                return images
            shrunk = change * (self.epsilon / length) * (1 - LEAST_SHRINKING * 2**attempt)
            images = torch.where(outside, (centres + shrunk).to(images.dtype), images)
        return images


def steepest(gradient: Float[Tensor, "b c h w"], norm: Norm) -> Float[Tensor, "b c h w"]:
    """The direction of length 1 in which a function with that gradient rises most; 0 where the gradient is 0."""
    if norm == "linf":
        return gradient.sign()
    length = lengths(gradient.double())
    return torch.where(length > 0, gradient.double() / length.clamp(min=torch.finfo(torch.float64).tiny), 0.0).to(gradient.dtype)


def lengths(values: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 1 1 1"]:
    """The Euclidean length of each row."""
    found: Tensor = values.flatten(1).norm(dim=1)
    return found[:, None, None, None]


def distances(images: Float[Tensor, "b c h w"], others: Float[Tensor, "b c h w"], norm: Norm) -> Float[Tensor, "b"]:
    """How far images are from others, computed in float64."""
    change = (images.double() - others.double()).flatten(1)
    found: Tensor = change.abs().amax(dim=1) if norm == "linf" else change.norm(dim=1)
    return found


def _rounded_into(bounds: Tensor, centres: Tensor, *, upwards: bool) -> Tensor:
    """Bounds in [0, 1] in the precision of the centres, rounded towards the inside."""
    exact = bounds.clamp(0, 1)
    near = exact.to(centres.dtype)
    beyond = near.double() < exact if upwards else near.double() > exact
    return torch.where(beyond, torch.nextafter(near, centres.new_tensor(2.0 if upwards else -1.0)), near)
