"""What the square attack places in l2: bumps that are steep in the middle, half of them up and half of them down.

M. Andriushchenko et al., "Square Attack", 2019, https://arxiv.org/abs/1912.00049, section 3.5, equation 2 and algorithm 3.
"""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neocog.attack.balls import Ball, lengths
from neocog.random import uniform

__all__ = ["bump", "moved", "tiled"]

TILES = 5  # along each side, that an attack begins with
LEAST_SIDE = 3


def bump(side: int) -> Float[Tensor, "s s"]:
    """Two neighbouring hills of opposite sign over a square, of length 1 in all."""
    half = side // 2
    hills = torch.cat([_hill(side, half), -_hill(side, side - half)], dim=1)
    return hills / hills.square().sum().sqrt()


def tiled(ball: Ball, seed: int, rows: Int64[Tensor, "b"]) -> Float[Tensor, "b c h w"]:
    """Where an attack begins: the image under tiles of bumps, each with its own sign, as far away as the ball allows."""
    count, channels, height, width = ball.centres.shape
    side = max(1, min(height, width) // TILES)
    down, across = height // side, width // side
    draws = uniform(seed, "tiles", 0, rows, 2 * channels * down * across).view(count, channels, down, across, 2)
    shape = bump(side).to(ball.centres)
    signs, turned = torch.where(draws[..., 0] < 0.5, -1.0, 1.0), draws[..., 1, None, None] < 0.5
    tiles = signs[..., None, None] * torch.where(turned, shape.T, shape)
    change = torch.zeros_like(ball.centres)
    change[:, :, : down * side, : across * side] = tiles.transpose(3, 4).flatten(4, 5).flatten(2, 3)
    return ball.inside(ball.centres + ball.epsilon * change / lengths(change))


def moved(ball: Ball, images: Float[Tensor, "b c h w"], side: int, draws: Float[Tensor, "b d"]) -> Float[Tensor, "b c h w"]:
    """The images with a bump more in one window, paid for by what is wiped out in another.

    Args:
        ball: what the images lie in.
        images: as they are.
        side: of the windows, in pixels.
        draws: in [0, 1): for each image rows and columns of two windows, whether the bump lies on its side, and one sign for
            each channel.
    """
    height, width = images.shape[2:]
    side = min(max(side, LEAST_SIDE), height, width)
    corners = [(draws[:, axis] * ((height, width)[axis % 2] - side + 1)).long() for axis in range(4)]
    first, second = (_window(top, left, side, (height, width)) for top, left in (corners[:2], corners[2:]))
    change = images - ball.centres
    unused = (ball.epsilon**2 - lengths(change) ** 2).clamp(min=0) / images.shape[1]
    there = torch.where(first, change, 0.0)
    signs = torch.where(draws[:, 5:] < 0.5, -1.0, 1.0).to(images)[:, :, None, None]
    placed = signs * _placed(bump(side).to(images), corners[0], corners[1], draws[:, 4] < 0.5, first)
    direction = placed + there / _channel_lengths(there).clamp(min=torch.finfo(images.dtype).tiny)
    room = (_channel_lengths(torch.where(first | second, change, 0.0)) ** 2 + unused).sqrt()
    raised = room * direction / _channel_lengths(direction).clamp(min=torch.finfo(images.dtype).tiny)
    return ball.inside(ball.centres + torch.where(first, raised, torch.where(second, 0.0, change)))


def _hill(height: int, width: int) -> Float[Tensor, "h w"]:
    """Terraces around the middle: the k-th from the middle is lower than the one before it by 1 / k²."""
    rows = (torch.arange(height) - height // 2).abs()[:, None]
    columns = (torch.arange(width) - width // 2).abs()[None, :]
    reach = height // 2
    steps = 1 / torch.arange(reach + 1, 0, -1, dtype=torch.float32) ** 2
    level = reach - torch.maximum(rows, columns)
    return torch.where(level >= 0, steps.cumsum(0)[level.clamp(min=0)], 0.0)


def _window(top: Int64[Tensor, "b"], left: Int64[Tensor, "b"], side: int, size: tuple[int, int]) -> Bool[Tensor, "b 1 h w"]:
    rows, columns = (torch.arange(length, device=top.device) for length in size)
    high = (rows >= top[:, None]) & (rows < top[:, None] + side)
    wide = (columns >= left[:, None]) & (columns < left[:, None] + side)
    return high[:, None, :, None] & wide[:, None, None, :]


def _placed(
    shape: Float[Tensor, "s s"],
    top: Int64[Tensor, "b"],
    left: Int64[Tensor, "b"],
    turned: Bool[Tensor, "b"],
    window: Bool[Tensor, "b 1 h w"],
) -> Float[Tensor, "b 1 h w"]:
    """The bump in each image's window, 0 elsewhere."""
    height, width = window.shape[2:]
    rows = (torch.arange(height, device=top.device) - top[:, None]).clamp(0, len(shape) - 1)
    columns = (torch.arange(width, device=left.device) - left[:, None]).clamp(0, len(shape) - 1)
    upright, lying = (one[rows[:, :, None], columns[:, None, :]] for one in (shape, shape.T))
    return torch.where(window, torch.where(turned[:, None, None], lying, upright)[:, None], 0.0)


def _channel_lengths(values: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c 1 1"]:
    return values.square().sum(dim=(2, 3), keepdim=True).sqrt()
