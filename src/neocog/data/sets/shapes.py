"""Scenes of coloured shapes, drawn on the fly: a small problem for every task, with nothing to download."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.data.dataset import Dataset, Split, TaskName, content_digest
from neocog.data.registry import DATASETS, NamedSet
from neocog.data.scenes import SHAPES, Scene, draw_scene, gaussian
from neocog.images import Picture, Size
from neocog.options import check, option
from neocog.targets import Clean, Label, Target

__all__ = ["Options", "ShapesDataset"]

VERSION = 1  # of the drawing; equal versions draw equal pictures
SMALLEST = 16
LICENCE = "CC0 1.0"
TASKS: tuple[TaskName, ...] = ("classify", "detect", "segment", "denoise")


@dataclass(frozen=True)
class Options:
    """What may be chosen."""

    count: int = option(2000, "how many pictures", low=1)
    size: Size = option((64, 64), "height and width in pixels", low=SMALLEST)
    shapes_seed: int = option(0, "pictures of different seeds have nothing in common")
    shapes_noise: float = option(
        25.0, "standard deviation of the noise that the task denoise has to take away, on the scale 0 to 255", low=0
    )

    def __post_init__(self) -> None:
        check(self)


class ShapesDataset(Dataset):
    """One pool of scenes.

    Classification asks for the one large shape, whatever small ones lie about; detection and segmentation
    for all of them; denoising for the scene before noise was added.

    Args:
        task: which targets.
        options: count, size, shapes_seed and shapes_noise.
    """

    channels = 3
    licence = LICENCE

    def __init__(self, task: TaskName, options: Options) -> None:
        self.name = "shapes"
        self.task = task
        self.options = options
        self.typical_size = self.options.size
        self.class_names = {"denoise": (), "segment": ("background", *SHAPES)}.get(task, SHAPES)
        self.notes = (f"shapes: drawn with seed {options.shapes_seed}",)
        self._last: tuple[int, Scene] | None = None

    def __len__(self) -> int:
        return self.options.count

    def where(self, index: int) -> str:
        """`shapes[17]`."""
        return f"shapes[{index}]"

    def given_split(self, index: int) -> Split | None:
        """None: one pool."""
        return None

    def target(self, index: int) -> Target:
        """What the task asks for, about the scene of that number."""
        scene = self._scene(index)
        if self.task == "classify":
            return Label(scene.shapes[0].kind)
        if self.task == "detect":
            return scene.boxes()
        return scene.mask() if self.task == "segment" else Clean(scene.picture())

    def _scene(self, index: int) -> Scene:
        """Of that number; the last one is kept, as its picture, digest and target are asked for one after the other."""
        last = self._last
        if last is None or last[0] != index:
            last = self._last = (index, draw_scene(self.options.shapes_seed, index, self.options.size))
        return last[1]

    def class_indices(self) -> Int64[Tensor, "n"] | None:
        """The large shapes' kinds, without drawing anything."""
        return self._kinds if self.task == "classify" else None

    @cached_property
    def _kinds(self) -> Int64[Tensor, "n"]:
        kinds = [draw_scene(self.options.shapes_seed, index, self.options.size).shapes[0].kind for index in range(len(self))]
        return torch.tensor(kinds, dtype=torch.int64)

    def picture(self, index: int, at_least: Size | None = None, depth: Literal[8, 16] = 8) -> Picture:
        """The scene, drawn; with noise for the task denoise."""
        clean = self._scene(index).picture()
        if self.task == "denoise" and self.options.shapes_noise > 0:
            noise = gaussian(self.options.shapes_seed, index, clean.numel()).reshape(tuple(clean.shape)) * self.options.shapes_noise
            clean = torch.from_numpy(np.rint(clean.numpy() + noise).clip(0, 255).astype(np.uint8))
        return clean if depth == 8 else (clean.to(torch.int32) * 257).to(torch.uint16)

    def digest(self, index: int) -> bytes:
        """Of the pixels."""
        return content_digest(self.picture(index).numpy().data.cast("B"))

    def fingerprint(self) -> str:
        """Of the options and the version of the drawing."""
        return hashlib.blake2b(f"{VERSION} {self.task} {self.options}".encode(), digest_size=16).hexdigest()


DATASETS.add_named(
    NamedSet("shapes", "drawn on the fly, with labels, boxes, masks and clean pictures", LICENCE, ShapesDataset, TASKS, Options),
)
