"""Colours that are told apart at a glance, one for each class, the same in every picture."""

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["INK", "MUTED", "PAPER", "RIGHT", "RULE", "WRONG", "Colour", "class_colour", "ink_on", "shade"]

Colour = tuple[int, int, int]  # red, green, blue in [0, 255]

INK: Colour = (24, 24, 28)
PAPER: Colour = (255, 255, 255)
MUTED: Colour = (110, 112, 120)
RULE: Colour = (214, 216, 222)
LOW: Colour = (245, 247, 251)
RIGHT: Colour = (11, 61, 122)
WRONG: Colour = (200, 62, 16)
GRID_STEPS = 12


def class_colour(index: int) -> Colour:
    """The colour of the class with that index.

    Each colour is, of a grid over the RGB cube without the darkest, palest, greyest and loudest, the one that differs
    most from all before it, by distance in OKLab (B. Ottosson, "A perceptual color space for image
    processing", 2020). After 512 they repeat.
    """
    index %= 512
    return _colours(32 if index < 32 else 512)[index]


def ink_on(colour: Colour) -> Colour:
    """Black or white, whichever reads better on a colour: the higher contrast as WCAG 2.1 defines it."""
    luminance = float(_linear(np.array(colour)) @ (0.2126, 0.7152, 0.0722))
    return INK if (luminance + 0.05) ** 2 > 1.05 * 0.06 else PAPER


def shade(share: float, full: Colour) -> Colour:
    """A step between pale (share 0) and a full colour (share 1), for heat maps."""
    weight = min(max(share, 0.0), 1.0) ** 0.5  # so that small shares are still seen
    red, green, blue = (round(low + (high - low) * weight) for low, high in zip(LOW, full, strict=True))
    return red, green, blue


@functools.lru_cache
def _colours(count: int) -> tuple[Colour, ...]:
    levels = np.linspace(0, 255, GRID_STEPS).round().astype(np.int64)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    places = _oklab(grid)
    lightness, chroma = places[:, 0], np.linalg.norm(places[:, 1:], axis=1)
    usable = (lightness > 0.45) & (lightness < 0.9) & (chroma > 0.08) & (chroma < 0.24)
    grid, places = grid[usable], places[usable]
    distance = np.linalg.norm(places[:, None] - _oklab(np.array([INK, PAPER, MUTED]))[None], axis=-1).min(axis=1)
    chosen = []
    for _ in range(count):
        best = int(distance.argmax())
        chosen.append(best)
        distance = np.minimum(distance, np.linalg.norm(places - places[best], axis=-1))
    return tuple((int(red), int(green), int(blue)) for red, green, blue in grid[chosen])


def _oklab(colours: NDArray[Any]) -> NDArray[Any]:
    """Lightness and the two opponent axes of OKLab, "n 3", of sRGB colours in [0, 255]."""
    cones = np.cbrt(
        _linear(colours)
        @ np.array(
            [
                [0.4122214708, 0.2119034982, 0.0883024619],
                [0.5363325363, 0.6806995451, 0.2817188376],
                [0.0514459929, 0.1073969566, 0.6299787005],
            ]
        )
    )
    return np.asarray(
        cones
        @ np.array(
            [
                [0.2104542553, 1.9779984951, 0.0259040371],
                [0.7936177850, -2.4285922050, 0.7827717662],
                [-0.0040720468, 0.4505937099, -0.8086757660],
            ]
        )
    )


def _linear(colours: NDArray[Any]) -> NDArray[Any]:
    """Intensities in [0, 1] of sRGB colours in [0, 255]."""
    encoded = colours / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
