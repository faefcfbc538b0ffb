"""The rivals of networks that answer for every pixel: plain PyTorch in float32, contiguous, as tutorials put it together.

To train: DataLoader with two workers, Pillow, torchvision.transforms.v2 on picture and mask together, AdamW. To predict: one
picture after the other by Pillow, the network in evaluation mode without gradients, answers brought to the picture's size.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from plain import time_steps
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

from neocog.batch import Preprocess
from neocog.images import Size
from neocog.recipe import Recipe

__all__ = ["predict_classes", "predict_restored", "train_on_patches", "train_on_scenes"]

VOID = 11  # of CamVid's masks


class Scenes(Dataset[tuple[Tensor, Tensor]]):
    """Pictures with masks in a folder each, transformed together."""

    def __init__(self, pictures: Path, masks: Path, transform: v2.Compose) -> None:
        self.pairs = list(zip(sorted(pictures.iterdir()), sorted(masks.iterdir()), strict=True))
        self.transform = transform

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        picture, mask = (Image.open(path) for path in self.pairs[index])
        image, classes = self.transform(picture.convert("RGB"), tv_tensors.Mask(mask))
        return image, classes.squeeze(0).long()


class Patches(Dataset[tuple[Tensor, Tensor]]):
    """Random patches of grey pictures, noisy and clean."""

    def __init__(self, pictures: Path, each: int, deviation: float, transform: v2.Compose) -> None:
        self.paths = sorted(pictures.iterdir()) * each
        self.deviation, self.transform = deviation, transform

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        clean = self.transform(Image.open(self.paths[index]))
        return clean + torch.randn_like(clean) * self.deviation, clean


def train_on_scenes(network: Any, preprocess: Preprocess, recipe: Recipe, folder: Path) -> dict[str, float]:
    """Train to segment, with the recipe's random windows, mirror images and colours.

    Args:
        network: makes it.
        preprocess: how it wants its images.
        recipe: how to train.
        folder: with train/ and trainannot/.
    """
    window = recipe.augment_options["random_resized_crop"]
    steps = [
        v2.ToImage(),
        v2.RandomResizedCrop(preprocess.size, scale=window["crop_area"], ratio=window["crop_aspect"], antialias=True),
        v2.RandomHorizontalFlip(),
        v2.ColorJitter(0.2, 0.2, 0.2, 0.02),
        v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True),
        v2.Normalize(preprocess.mean, preprocess.std),
    ]
    scenes = Scenes(folder / "train", folder / "trainannot", v2.Compose(steps))
    return time_steps(scenes, network, nn.CrossEntropyLoss(ignore_index=VOID), **_course(recipe))


def train_on_patches(network: Any, preprocess: Preprocess, recipe: Recipe, folder: Path) -> dict[str, float]:
    """Train to denoise, with random patches, mirror images and quarter turns.

    Args:
        network: makes it.
        preprocess: how it wants its images.
        recipe: how to train.
        folder: with train/.
    """
    steps = [
        v2.ToImage(),
        v2.RandomCrop(preprocess.size),
        v2.RandomHorizontalFlip(),
        v2.RandomVerticalFlip(),
        v2.RandomChoice([v2.Identity(), v2.RandomRotation((90, 90))]),
        v2.ToDtype(torch.float32, scale=True),
    ]
    options = recipe.task_options
    patches = Patches(folder / "train", options["patches_per_picture"], options["sigma"][0] / 255, v2.Compose(steps))
    return time_steps(patches, network, nn.MSELoss(), **_course(recipe))


def predict_classes(model: nn.Module, preprocess: Preprocess, size: Size, paths: Sequence[Path]) -> list[Tensor]:
    """The class of every pixel of each picture, "h w".

    Args:
        model: in evaluation mode.
        preprocess: how it wants its images.
        size: height and width that pictures are brought to.
        paths: of the pictures.
    """
    transform = v2.Compose(
        [
            v2.ToImage(),
            v2.Resize(size, antialias=True),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(preprocess.mean, preprocess.std),
        ]
    )
    answers = []
    with torch.inference_mode():
        for path in paths:
            picture = Image.open(path).convert("RGB")
            logits = model(transform(picture)[None])
            whole = functional.interpolate(logits, size=picture.size[::-1], mode="bilinear", align_corners=False)
            answers.append(whole.argmax(dim=1)[0])
    return answers


def predict_restored(model: nn.Module, preprocess: Preprocess, size: Size | None, paths: Sequence[Path]) -> list[Tensor]:
    """Each grey picture without its noise, "1 h w", uint8; arguments as of `predict_classes`, the size is the picture's own."""
    answers = []
    with torch.inference_mode():
        for path in paths:
            noisy = torch.from_numpy(np.array(Image.open(path).convert("L"))).float().div(255)[None, None]
            answers.append(model(noisy).mul(255).round().clamp(0, 255).to(torch.uint8)[0])
    return answers


def _course(recipe: Recipe) -> dict[str, Any]:
    found = {"batch_size": recipe.batch_size, "epochs": recipe.epochs, "rate": recipe.learning_rate, "decay": recipe.weight_decay}
    return {name: value for name, value in found.items() if value is not None}
