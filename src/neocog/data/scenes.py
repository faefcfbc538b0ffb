"""Draws scenes of coloured shapes on a textured ground, each a pure function of a seed and its number.

One scene is the source of every kind of target: the class of its one large shape, a box and an outline for
each shape, the class of every pixel, and the picture itself, free of noise.
"""

import colorsys
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from neocog.images import Picture, Size
from neocog.random import uniform
from neocog.targets import Boxes, Mask

__all__ = ["SHAPES", "Scene", "Shape", "draw_scene", "gaussian"]

Array = NDArray[np.float64]
Colour = tuple[float, float, float]  # red, green, blue in [0, 1]

SHAPES = ("circle", "cross", "square", "star", "triangle")
MOST_SMALL = 3
PLACES_TRIED = 6
LARGE_RADII = (0.22, 0.34)  # of the picture's shorter side
SMALL_RADII = (0.07, 0.12)
LEAST_CONTRAST = 0.25  # in luma, between a shape and its ground
GRID = 6  # points a side of the ground's coarse noise
CIRCLE_POINTS = 48
LUMA = (0.299, 0.587, 0.114)
DRAWS = 256


@dataclass(frozen=True)
class Shape:
    """One instance.

    Attributes:
        kind: an index into `SHAPES`.
        centre: x and y in pixels.
        radius: of the circle around the corners, in pixels.
        turn: in radians.
        colour: red, green, blue in [0, 1].
    """

    kind: int
    centre: tuple[float, float]
    radius: float
    turn: float
    colour: Colour

    def outline(self) -> Array:
        """The corners as rows of x and y, in pixels; a circle has many."""
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        turned = _corners(SHAPES[self.kind]) @ np.array([[cos, sin], [-sin, cos]])
        placed: Array = turned * self.radius + np.array(self.centre)
        return placed


@dataclass(frozen=True)
class Scene:
    """What one number stands for; the first shape is the large one."""

    size: Size
    shapes: tuple[Shape, ...]
    ground: tuple[Colour, Colour]
    coarse: Array
    stripes: tuple[float, float, float]  # waves across the picture in x and y, and their share in the texture

    def picture(self) -> Picture:
        """uint8 RGB."""
        near, far = (np.array(colour)[:, None, None] for colour in self.ground)
        canvas = near + (far - near) * self._texture()
        for shape, (coverage, top, left) in zip(self.shapes, self._coverages, strict=True):
            height, width = coverage.shape
            window = canvas[:, top : top + height, left : left + width]
            shade = 1 - 0.25 * np.linspace(0, 1, height)[:, None]  # lit from above
            window += (np.array(shape.colour)[:, None, None] * shade - window) * coverage
        return torch.from_numpy(np.rint(canvas.clip(0, 1) * 255).astype(np.uint8))

    def boxes(self) -> Boxes:
        """A box and an outline for each shape; classes as in `SHAPES`."""
        outlines = [shape.outline() for shape in self.shapes]
        corners = np.array([[*outline.min(axis=0), *outline.max(axis=0)] for outline in outlines])
        return Boxes(
            torch.from_numpy(corners).to(torch.float32),
            torch.tensor([shape.kind for shape in self.shapes], dtype=torch.int64),
            tuple(torch.from_numpy(outline).to(torch.float32) for outline in outlines),
        )

    def mask(self) -> Mask:
        """0 for the ground, else 1 + the shape's index in `SHAPES`, by where each pixel's centre lies."""
        classes = np.zeros(self.size, dtype=np.uint16)
        for shape, (coverage, top, left) in zip(self.shapes, self._coverages, strict=True):
            height, width = coverage.shape
            classes[top : top + height, left : left + width][coverage >= 0.5] = 1 + shape.kind
        return Mask(torch.from_numpy(classes))

    def _texture(self) -> Array:
        height, width = self.size
        coarse = torch.from_numpy(self.coarse)[None, None]
        smooth = functional.interpolate(coarse, size=self.size, mode="bilinear", align_corners=True)[0, 0].numpy()
        waves_x, waves_y, share = self.stripes
        x, y = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
        stripes = 0.5 + 0.5 * np.sin(2 * math.pi * (waves_x * x[None, :] + waves_y * y[:, None]))
        blended: Array = smooth * (1 - share) + stripes * share
        return blended

    @cached_property
    def _coverages(self) -> list[tuple[Array, int, int]]:
        """Of each shape: most of the work, and both the picture and the mask need it."""
        return [self._coverage(shape) for shape in self.shapes]

    def _coverage(self, shape: Shape) -> tuple[Array, int, int]:
        """How much of each pixel near a shape it covers, in [0, 1], and the top and left of that window."""
        (x, y), reach = shape.centre, shape.radius + 1
        top, bottom = max(0, math.floor(y - reach)), min(self.size[0], math.ceil(y + reach))
        left, right = max(0, math.floor(x - reach)), min(self.size[1], math.ceil(x + reach))
        grid = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
        points = np.stack(grid, axis=-1)
        if SHAPES[shape.kind] == "circle":
            distance = np.hypot(*np.moveaxis(points - np.array(shape.centre), -1, 0)) - shape.radius
        else:
            distance = _signed_distance(points, shape.outline())
        return (0.5 - distance).clip(0, 1), top, left


def draw_scene(seed: int, index: int, size: Size) -> Scene:
    """The scene of a number.

    Args:
        seed: scenes of different seeds have nothing in common.
        index: the scene's number.
        size: height and width in pixels.
    """
    numbers = iter(uniform(seed, "shapes", 0, torch.tensor([index]), DRAWS)[0].tolist())
    ground = _ground(numbers)
    shapes = [_large(numbers, size, ground[0])]
    for _ in range(int(next(numbers) * (MOST_SMALL + 1))):
        small = _small(numbers, size, ground[0], shapes)
        if small is not None:
            shapes.append(small)
    stripes = (_between(numbers, -6, 6), _between(numbers, -6, 6), next(numbers))
    coarse = np.array([next(numbers) for _ in range(GRID * GRID)]).reshape(GRID, GRID)
    return Scene(size, tuple(shapes), ground, coarse, stripes)


def gaussian(seed: int, index: int, count: int) -> Array:
    """Numbers of the normal distribution, a pure function of a seed and a scene's number (Box and Muller, 1958)."""
    draws = uniform(seed, "shapes/noise", 0, torch.tensor([index]), 2 * count)[0].to(torch.float64).numpy()
    normal: Array = np.sqrt(-2 * np.log1p(-draws[:count])) * np.cos(2 * math.pi * draws[count:])
    return normal


def _between(numbers: Iterator[float], low: float, high: float) -> float:
    return low + (high - low) * next(numbers)


def _ground(numbers: Iterator[float]) -> tuple[Colour, Colour]:
    value, saturation = _between(numbers, 0.15, 0.85), _between(numbers, 0.0, 0.4)
    near = _hsv(next(numbers), saturation, value)
    lighter = _between(numbers, -0.15, 0.15)
    return near, (near[0] + lighter, near[1] + lighter, near[2] + lighter)


def _large(numbers: Iterator[float], size: Size, ground: Colour) -> Shape:
    kind, turn, colour = _looks(numbers, ground)
    radius = _between(numbers, *LARGE_RADII) * min(size)
    return Shape(kind, _place(numbers, size, radius), radius, turn, colour)


def _small(numbers: Iterator[float], size: Size, ground: Colour, others: list[Shape]) -> Shape | None:
    """A small shape at the first place tried that is free; None when none is."""
    kind, turn, colour = _looks(numbers, ground)
    radius = _between(numbers, *SMALL_RADII) * min(size)
    places = [_place(numbers, size, radius) for _ in range(PLACES_TRIED)]
    for place in places:
        if all(math.dist(place, other.centre) > radius + other.radius + 1 for other in others):
            return Shape(kind, place, radius, turn, colour)
    return None


def _looks(numbers: Iterator[float], ground: Colour) -> tuple[int, float, Colour]:
    kind = int(next(numbers) * len(SHAPES))
    turn = _between(numbers, 0, 2 * math.pi)
    colour = _hsv(next(numbers), _between(numbers, 0.5, 1.0), _between(numbers, 0.4, 1.0))
    return kind, turn, _apart(colour, ground)


def _place(numbers: Iterator[float], size: Size, radius: float) -> tuple[float, float]:
    height, width = size
    return _between(numbers, radius, width - radius), _between(numbers, radius, height - radius)


def _hsv(hue: float, saturation: float, value: float) -> Colour:
    return colorsys.hsv_to_rgb(hue, saturation, value)


def _apart(colour: Colour, ground: Colour) -> Colour:
    """The colour, moved towards white or black until its luma is far enough from the ground's."""
    luma, below = (sum(weight * part for weight, part in zip(LUMA, c, strict=True)) for c in (colour, ground))
    if abs(luma - below) >= LEAST_CONTRAST:
        return colour
    if below < 0.5:
        share = (below + LEAST_CONTRAST - luma) / (1 - luma)
        return colour[0] + share * (1 - colour[0]), colour[1] + share * (1 - colour[1]), colour[2] + share * (1 - colour[2])
    kept = (below - LEAST_CONTRAST) / luma
    return colour[0] * kept, colour[1] * kept, colour[2] * kept


def _corners(kind: str) -> Array:
    """A shape's corners on and inside the circle of radius 1."""
    if kind == "cross":
        arm = 0.35
        quarter = np.array([[arm, -1.0], [arm, -arm], [1.0, -arm]]) / math.hypot(1, arm)
        turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
        return np.concatenate([quarter @ np.linalg.matrix_power(turn, k) for k in range(4)])
    count = {"circle": CIRCLE_POINTS, "square": 4, "star": 10, "triangle": 3}[kind]
    angles = 2 * math.pi * np.arange(count) / count
    radii = np.where(np.arange(count) % 2 == 1, 0.45, 1.0) if kind == "star" else np.ones(count)
    return np.stack([radii * np.sin(angles), -radii * np.cos(angles)], axis=1)


def _signed_distance(points: Array, outline: Array) -> Array:
    """The distance of each point ("h w 2") to a polygon, negative inside."""
    start, edge = outline, np.roll(outline, -1, axis=0) - outline
    offset = points[..., None, :] - start
    along = ((offset * edge).sum(-1) / (edge * edge).sum(-1)).clip(0, 1)
    distance = np.sqrt(((offset - along[..., None] * edge) ** 2).sum(-1)).min(-1)
    above, next_above = offset[..., 1] >= 0, offset[..., 1] - edge[:, 1] >= 0
    side = edge[:, 0] * offset[..., 1] - edge[:, 1] * offset[..., 0]
    crossed = (above != next_above) & ((side > 0) == (edge[:, 1] < 0))
    inside = crossed.sum(-1) % 2 == 1
    signed: Array = np.where(inside, -distance, distance)
    return signed
