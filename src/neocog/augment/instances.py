"""Where the instances of a picture go when it moves."""

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.images import Size
from neocog.targets import Boxes

__all__ = ["move_boxes"]


def move_boxes(boxes: Boxes, matrix: Float[Tensor, "3 3"], size: Size, min_visible: float) -> Boxes:
    """Move instances by an affine map and keep what is visible of them.

    An instance is its outline, or its box's rectangle where no outline is known. It is moved, cut at the
    image's border, and gets the hull of what is left as its new box. Thin air counts as invisible: boxes
    without extent are dropped unless `min_visible` is 0.

    Args:
        boxes: in pixels of the old raster.
        matrix: from the old raster to the new one.
        size: height and width of the new raster.
        min_visible: the share of an instance's area that must stay inside for it to be kept, in [0, 1].
    """
    polygons = [_affine(polygon, matrix) for polygon in _polygons(boxes)]
    visible = [_cut(polygon, size) for polygon in polygons]
    keep = [i for i, (whole, part) in enumerate(zip(polygons, visible, strict=True)) if _share(part, whole) >= min_visible and len(part)]
    hulls = [torch.cat([visible[i].amin(dim=0), visible[i].amax(dim=0)]) for i in keep]
    return Boxes(
        corners=torch.stack(hulls) if hulls else boxes.corners.new_zeros((0, 4)),
        classes=boxes.classes[torch.tensor(keep, dtype=torch.int64, device=boxes.classes.device)],
        outlines=tuple(visible[i] if len(boxes.outlines[i]) else boxes.outlines[i] for i in keep) if boxes.outlines else (),
    )


def _polygons(boxes: Boxes) -> list[Tensor]:
    x1, y1, x2, y2 = boxes.corners.unbind(dim=1)
    rectangles = torch.stack([x1, y1, x2, y1, x2, y2, x1, y2], dim=1).view(-1, 4, 2)
    outlines = boxes.outlines or ((),) * len(rectangles)
    return [
        outline if isinstance(outline, Tensor) and len(outline) else rectangle
        for outline, rectangle in zip(outlines, rectangles, strict=True)
    ]


def _affine(points: Tensor, matrix: Tensor) -> Tensor:
    return points @ matrix[:2, :2].T.to(points) + matrix[:2, 2].to(points)


def _cut(polygon: Tensor, size: Size) -> Tensor:
    """The part of a polygon inside the image (Sutherland and Hodgman, 1974); empty when nothing is."""
    limits = polygon.new_tensor([size[1], size[0]])
    if bool(((polygon >= 0) & (polygon <= limits)).all()):
        return polygon
    for axis in (0, 1):
        for limit, sign in ((0.0, 1.0), (float(limits[axis]), -1.0)):
            polygon = _cut_at(polygon, axis, limit, sign)
    return polygon


def _cut_at(polygon: Tensor, axis: int, limit: float, sign: float) -> Tensor:
    """The part of a polygon where sign * (coordinate - limit) is not negative."""
    if not len(polygon):
        return polygon
    depth = sign * (polygon[:, axis] - limit)
    following, depth_following = polygon.roll(-1, 0), depth.roll(-1)
    crosses = (depth < 0) != (depth_following < 0)
    share = torch.where(crosses, depth / torch.where(crosses, depth - depth_following, 1), 0)
    crossing = polygon + share[:, None] * (following - polygon)
    crossing[:, axis] = torch.where(crosses, limit, crossing[:, axis])  # free of rounding, so that no box stands over
    points = torch.stack([polygon, crossing], dim=1).view(-1, 2)
    return points[torch.stack([depth >= 0, crosses], dim=1).view(-1)]


def _share(part: Tensor, whole: Tensor) -> float:
    area = _area(whole)
    return _area(part) / area if area > 0 else 0.0


def _area(polygon: Tensor) -> float:
    """By the shoelace formula."""
    x, y = polygon.to(torch.float64).unbind(dim=1)
    return abs(float((x * y.roll(-1) - y * x.roll(-1)).sum())) / 2
