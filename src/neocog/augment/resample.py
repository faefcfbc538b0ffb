"""How pixels get from one pixel raster to another: three ways, from exact to general.

All coordinates are (x, y, 1) in pixels with the centre of the first pixel at (0.5, 0.5). The maps here lead
backwards, from the new raster to the old one. A new pixel shows the picture when its centre lies on the
picture; there the outermost pixels reach out to the picture's rim, so that no border darkens.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, Shaped
from torch import Tensor
from torch.nn import functional

from neocog.images import Size

__all__ = ["EXACT", "GENERAL", "WINDOW", "Motion", "as_float", "move", "nearest", "plan"]

EXACT, WINDOW, GENERAL = 0, 1, 2
"""How a picture moves: by flips, quarter turns and whole pixels; as a window of whole pixels that is brought
to the new size; any other way."""

WHOLE_LINEAR = 1e-6  # how far a coefficient may be from a whole number and count as one
WHOLE_PIXEL = 1e-3  # the same for a distance in pixels

CACHED_VALUES = 1 << 20  # as many values at a time stay in a processor's cache


@dataclass(frozen=True)
class Motion:
    """Where the pixels of a batch go.

    Attributes:
        inverse: from the new raster to the old one.
        sizes: height and width of each picture in the old raster, from its upper left corner.
        size: height and width of the new raster.
        reflect: fill what lies outside a picture with its reflection, not with black.
        kinds: EXACT, WINDOW or GENERAL for each picture.
        inside: which new pixels show the picture; None when all do.
    """

    inverse: Float[Tensor, "b 3 3"]
    sizes: Int64[Tensor, "b 2"]
    size: Size
    reflect: bool
    kinds: Int64[Tensor, "b"]
    inside: Bool[Tensor, "b h w"] | None

    def select(self, rows: Int64[Tensor, "n"]) -> "Motion":
        """The motion of some of the pictures."""
        inside = None if self.inside is None else self.inside[rows]
        return Motion(self.inverse[rows], self.sizes[rows], self.size, self.reflect, self.kinds[rows], inside)


def plan(matrices: Float[Tensor, "b 3 3"], sizes: Int64[Tensor, "b 2"], size: Size, reflect: bool) -> Motion:
    """Prepare a motion by forward maps, from the old raster to the new one."""
    inverse = torch.linalg.inv(matrices.to(torch.float64))
    return Motion(inverse, sizes, size, reflect, _kinds(inverse, sizes, size), _inside(inverse, sizes, size))


def as_float(pixels: Shaped[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """Pixels as float32 in [0, 1]; those that are floating point stay as they are."""
    return pixels if pixels.is_floating_point() else pixels.to(torch.float32).div_(torch.iinfo(pixels.dtype).max)


def move(pixels: Shaped[Tensor, "b c h0 w0"], motion: Motion) -> Shaped[Tensor, "b c h w"]:
    """Move pixels, each picture in the most exact way that its map admits.

    Returns:
        uint8 for uint8 pixels when no picture moves in a general way, else float32 in [0, 1].
    """
    ways: dict[int, Callable[[Tensor, Motion], Tensor]] = {EXACT: _exact, WINDOW: _window, GENERAL: _general}
    present = [kind for kind in ways if bool((motion.kinds == kind).any())]
    if len(present) == 1:
        return ways[present[0]](pixels, motion)
    parts = []
    for kind in present:
        rows = (motion.kinds == kind).nonzero()[:, 0]
        parts.append((rows, ways[kind](pixels[rows], motion.select(rows))))
    if GENERAL in present:
        parts = [(rows, as_float(part)) for rows, part in parts]
    moved = parts[0][1].new_empty((len(pixels), pixels.shape[1], *motion.size))
    for rows, part in parts:
        moved[rows] = part
    return moved


def nearest(planes: Int64[Tensor, "b h0 w0"], motion: Motion, void: int) -> Int64[Tensor, "b h w"]:
    """Move planes of class indices: each new pixel takes the old one that its centre falls into, or void."""
    if bool((motion.kinds == EXACT).all()):
        return _exact(planes[:, None], replace(motion, reflect=False), fill=void)[:, 0]
    x, y = (at.floor().long() for at in _old_coordinates(motion.inverse, motion.size))
    height, width = planes.shape[1:]
    place = y.clamp(0, height - 1) * width + x.clamp(0, width - 1)
    place = place.expand(len(planes), *motion.size).reshape(len(planes), -1)
    moved = planes.reshape(len(planes), -1).gather(1, place).view(len(planes), *motion.size)
    return moved if motion.inside is None else moved.masked_fill(~motion.inside, void)


def _kinds(inverse: Tensor, sizes: Tensor, size: Size) -> Tensor:
    linear, shift = inverse[:, :2, :2], inverse[:, :2, 2]
    whole = linear.round().abs()
    turns = ((linear - linear.round()).abs().amax(dim=(1, 2)) < WHOLE_LINEAR) & (whole.sum(1) == 1).all(1) & (whole.sum(2) == 1).all(1)
    exact = turns & ((shift - shift.round()).abs().amax(dim=1) < WHOLE_PIXEL)
    if bool(exact.all()):
        return torch.full_like(sizes[:, 0], EXACT)
    first, last = _window_edges(inverse, size)
    upright = (linear[:, 0, 1].abs() < WHOLE_LINEAR) & (linear[:, 1, 0].abs() < WHOLE_LINEAR)
    whole_edges = torch.stack([(edge - edge.round()).abs().amax(dim=1) < WHOLE_PIXEL for edge in (first, last)]).all(0)
    on_picture = (first.round() >= 0).all(1) & (last.round() <= sizes.flip(1)).all(1) & (last.round() > first.round()).all(1)
    kinds = torch.where(upright & whole_edges & on_picture, WINDOW, GENERAL)
    return torch.where(exact, EXACT, kinds)


def _window_edges(inverse: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """The old window "b 2" (x, y), first and last edge, that an upright map brings to the new raster."""
    start = inverse[:, :2, 2]
    extent = torch.tensor([size[1], size[0]], dtype=inverse.dtype, device=inverse.device)
    end = start + torch.diagonal(inverse[:, :2, :2], dim1=1, dim2=2) * extent
    return torch.minimum(start, end), torch.maximum(start, end)


def _inside(inverse: Tensor, sizes: Tensor, size: Size) -> Tensor | None:
    height, width = size
    corners = torch.tensor([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], dtype=inverse.dtype, device=inverse.device)
    old = (corners @ inverse.mT)[..., :2]
    limits = sizes.flip(1)[:, None]
    if bool(((old >= -WHOLE_PIXEL) & (old <= limits + WHOLE_PIXEL)).all()):
        return None
    x, y = _old_coordinates(inverse, size)
    limits = limits[..., None]
    across, down = (x >= 0) & (x < limits[:, :, 0]), (y >= 0) & (y < limits[:, :, 1])
    return (across.view(torch.uint8) & down.view(torch.uint8)).view(torch.bool)  # of bytes it is several times faster


def _old_coordinates(inverse: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """Where the new pixels' centres lie in the old raster: x and y, each "b h w" or of a shape that broadcasts to it."""
    coefficients = inverse.to(torch.float32)[:, :2, :, None, None]
    columns = torch.arange(size[1], dtype=torch.float32, device=inverse.device) + 0.5
    rows = torch.arange(size[0], dtype=torch.float32, device=inverse.device)[:, None] + 0.5
    upright = bool((inverse[:, 0, 1] == 0).all() and (inverse[:, 1, 0] == 0).all())
    if upright:
        return coefficients[:, 0, 0] * columns + coefficients[:, 0, 2], coefficients[:, 1, 1] * rows + coefficients[:, 1, 2]
    x, y = (axis[:, 0] * columns + (axis[:, 1] * rows + axis[:, 2]) for axis in coefficients.unbind(1))
    return x, y


def _exact(pixels: Tensor, motion: Motion, fill: int = 0) -> Tensor:
    """Flips, quarter turns and shifts by whole pixels: values stay what they are."""
    linear = motion.inverse[:, :2, :2].round().long()
    swapped = linear[:, 0, 0] == 0
    signs = linear.sum(dim=2)
    extent = torch.tensor([motion.size[1], motion.size[0]], device=pixels.device)
    extents = torch.where(swapped[:, None], extent.flip(0), extent)  # width and height of the old window
    start = motion.inverse[:, :2, 2].round().long() + torch.where(signs < 0, -extents, 0)
    if bool((start == start[0]).all() and (linear == linear[0]).all() and signs[0].eq(1).all() and not swapped[0]):
        start = start[:1]  # one window for all: a view, no copy
    pixels, start = _extend(pixels, start, extents, motion, fill)
    if len(start) == 1 and len(pixels) > 1:
        (left, top), (height, width) = start[0].tolist(), motion.size
        return pixels[:, :, top : top + height, left : left + width]
    return _cut(pixels, torch.cat([start, extents, signs, swapped[:, None]], dim=1))


def _cut(pixels: Tensor, windows: Tensor) -> Tensor:
    """Cut one window (left, top, width, height, sign of x, sign of y, turned) "b 7" out of each picture.

    On a processor slices are copied whole rows at a time, several times faster than pixels by their indices.
    """
    if pixels.device.type != "cpu":
        return _cut_by_index(pixels, windows)
    if pixels.is_contiguous() and not bool(windows[:, 6].any()):
        return _cut_unturned(pixels, windows)
    channels_last = not pixels.is_contiguous() and pixels.is_contiguous(memory_format=torch.channels_last)
    down, across = (0, 1) if channels_last else (1, 2)
    array = (pixels.permute(0, 2, 3, 1) if channels_last else pixels).numpy()
    pieces = []
    for picture, (left, top, width, height, x_sign, y_sign, turned) in zip(array, windows.tolist(), strict=True):
        rows, columns = slice(top, top + height), slice(left, left + width)
        piece = picture[rows, columns] if channels_last else picture[:, rows, columns]
        backwards = [axis for axis, sign in ((down, y_sign), (across, x_sign)) if sign < 0]
        if backwards:  # interleaved channels are too short a run for NumPy's copy
            piece = torch.from_numpy(piece).flip(backwards).numpy() if channels_last else np.flip(piece, tuple(backwards))
        pieces.append(piece.swapaxes(down, across) if turned else piece)
    cut = torch.from_numpy(np.stack(pieces))
    return cut.permute(0, 3, 1, 2) if channels_last else cut


def _cut_unturned(pixels: Tensor, windows: Tensor) -> Tensor:
    """The same at once for windows of one size that are not turned."""
    left, top, width, height, *signs = windows[:, :6].numpy().T
    views = np.lib.stride_tricks.sliding_window_view(pixels.numpy(), (int(height[0]), int(width[0])), axis=(2, 3))
    pieces = views[np.arange(len(views)), :, top, left]
    for axis, sign in zip((3, 2), signs, strict=True):
        backwards = sign < 0
        if backwards.any():
            pieces[backwards] = np.flip(pieces[backwards], axis)
    return torch.from_numpy(pieces)


def _cut_by_index(pixels: Tensor, windows: Tensor) -> Tensor:
    """The same by indices, for all pictures at once."""
    left, top, width, height, x_sign, y_sign, turned = windows[:, :, None, None].unbind(dim=1)
    first = windows[0].tolist()
    size = (first[2], first[3]) if first[6] else (first[3], first[2])
    down = torch.arange(size[0], device=pixels.device)[:, None]
    across = torch.arange(size[1], device=pixels.device)
    x, y = torch.where(turned > 0, down, across), torch.where(turned > 0, across, down)
    columns = left + torch.where(x_sign > 0, x, width - 1 - x)
    rows = top + torch.where(y_sign > 0, y, height - 1 - y)
    place = (rows * pixels.shape[3] + columns).view(len(pixels), 1, -1).expand(-1, pixels.shape[1], -1)
    return pixels.flatten(2).gather(2, place).view(len(pixels), pixels.shape[1], *size)


def _extend(pixels: Tensor, start: Tensor, extents: Tensor, motion: Motion, fill: int) -> tuple[Tensor, Tensor]:
    """Add a border so that all windows lie inside; returns the pixels and the windows' new starts."""
    extents = extents[: len(start)]
    shape = torch.tensor([pixels.shape[3], pixels.shape[2]], device=pixels.device)
    if not motion.reflect:
        start = torch.maximum(torch.minimum(start, shape), -extents)  # far outside is as black as just outside
    before = (-start).clamp(min=0).amax(dim=0)
    after = (start + extents - shape).clamp(min=0).amax(dim=0)
    border = [side for axis in (0, 1) for side in (int(before[axis]), int(after[axis]))]  # left, right, top, bottom
    if motion.reflect and motion.inside is not None:
        pixels = _reflect(pixels, border, motion.sizes)
    elif any(border):
        pixels = functional.pad(pixels, border, value=fill)
    return pixels, start + before


def _reflect(pixels: Tensor, border: list[int], sizes: Tensor) -> Tensor:
    """Add a border that reflects each picture about the centres of its outermost pixels."""
    height, width = pixels.shape[2:]
    left, right, top, bottom = border
    whole = bool((sizes == torch.tensor([height, width], device=sizes.device)).all())
    if whole and max(left, right) < width and max(top, bottom) < height:
        return functional.pad(pixels, border, mode="reflect")
    rows = torch.arange(-top, height + bottom, device=sizes.device) + 0.5
    columns = torch.arange(-left, width + right, device=sizes.device) + 0.5
    return _take(_take(pixels, 2, _fold(rows, sizes[:, :1])), 3, _fold(columns, sizes[:, 1:]))


def _take(pixels: Tensor, axis: int, at: Tensor) -> Tensor:
    """Rows (axis 2) or columns (axis 3) of each picture by the positions "b n" of their centres."""
    indices = at.floor().long()
    shape = list(pixels.shape)
    shape[axis] = indices.shape[1]
    return pixels.gather(axis, (indices[:, None, None, :] if axis == 3 else indices[:, None, :, None]).expand(shape))


def _fold(at: Tensor, extent: Tensor) -> Tensor:
    """Reflect positions about the centres of the first and the last pixel until they lie between them."""
    span = (extent - 1).to(at.dtype)
    phase = torch.remainder(at - 0.5, (2 * span).clamp(min=1))
    return (span - (phase - span).abs()).clamp(min=0) + 0.5


def _window(pixels: Tensor, motion: Motion) -> Tensor:
    """Windows of whole pixels brought to the new size, antialiased; uint8 stays uint8."""
    first, last = _window_edges(motion.inverse, motion.size)
    signs = torch.diagonal(motion.inverse[:, :2, :2], dim1=1, dim2=2).sign()
    windows = torch.cat([first, last, signs], dim=1).round().long()
    if bool((windows == windows[0]).all()):
        return _resize_window(pixels, windows[0].tolist(), motion.size)
    layout = torch.channels_last if pixels.dtype == torch.uint8 else torch.contiguous_format
    moved = torch.empty((*pixels.shape[:2], *motion.size), dtype=pixels.dtype, device=pixels.device, memory_format=layout)
    for i, window in enumerate(windows.tolist()):  # copied one by one, so that the pieces take turns in the same memory
        moved[i : i + 1] = _resize_window(pixels[i : i + 1], window, motion.size)
    return moved


def _resize_window(pixels: Tensor, window: list[int], size: Size) -> Tensor:
    left, top, right, bottom, x_sign, y_sign = window
    piece = pixels[:, :, top:bottom, left:right]
    if pixels.dtype == torch.uint8 and pixels.device.type != "cpu":  # only processors have an antialiased kernel for uint8
        wide = functional.interpolate(piece.to(torch.float32), size=size, mode="bilinear", antialias=True)
        resized = wide.round_().clamp_(0, 255).to(torch.uint8)
    else:  # the kernel for uint8 works on interleaved channels
        piece = piece.contiguous(memory_format=torch.channels_last) if pixels.dtype == torch.uint8 else piece
        resized = functional.interpolate(piece, size=size, mode="bilinear", antialias=True)
    backwards = [axis for axis, sign in ((2, y_sign), (3, x_sign)) if sign < 0]
    return resized.flip(backwards) if backwards else resized


def _general(pixels: Tensor, motion: Motion) -> Tensor:
    """Bilinear, from a source averaged over blocks of 2, 4, 8, ... pixels where a picture shrinks by more than that."""
    shrink = torch.linalg.det(motion.inverse[:, :2, :2]).abs().sqrt()
    blocks = torch.exp2(shrink.clamp(min=1).log2().floor()).long()
    moved = torch.empty((*pixels.shape[:2], *motion.size), device=pixels.device)
    at_once = max(1, CACHED_VALUES // max(pixels[0].numel(), moved[0].numel())) if pixels.device.type == "cpu" else len(pixels)
    for block in blocks.unique().tolist():
        for rows in (blocks == block).nonzero()[:, 0].split(at_once):
            moved[rows] = _bilinear(as_float(pixels[rows]), motion.select(rows), block)
    return moved


def _bilinear(images: Tensor, motion: Motion, block: int) -> Tensor:
    sizes = motion.sizes
    if block > 1:
        shown = _shown(sizes, images.shape[2:]).to(images.dtype)[:, None]
        parts = functional.avg_pool2d(shown, block, ceil_mode=True).clamp(min=1e-9)
        images = functional.avg_pool2d(images * shown, block, ceil_mode=True) / parts
        sizes = torch.div(sizes + block - 1, block, rounding_mode="floor")
    height, width = images.shape[2:]
    at = []
    for axis, (old, raster) in enumerate(zip(_old_coordinates(motion.inverse / block, motion.size), (width, height), strict=True)):
        extent = sizes[:, 1 - axis, None, None]
        if motion.reflect:
            old = _fold(old, extent)
        elif bool((extent < raster).any()):
            old = torch.minimum(old.clamp(min=0.5), extent - 0.5)
        at.append((old * (2 / raster) - 1).expand(len(images), *motion.size))
    moved = functional.grid_sample(images, torch.stack(at, dim=3), mode="bilinear", padding_mode="border", align_corners=False)
    return moved if motion.inside is None or motion.reflect else moved.mul_(motion.inside[:, None])


def _shown(sizes: Tensor, raster: torch.Size) -> Tensor:
    """True where a picture that starts in the upper left corner of the raster lies."""
    rows = torch.arange(raster[0], device=sizes.device) < sizes[:, :1]
    columns = torch.arange(raster[1], device=sizes.device) < sizes[:, 1:]
    return rows[:, :, None] & columns[:, None, :]
