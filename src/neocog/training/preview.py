"""What training pictures look like before and after augmentation."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.augment import augment
from neocog.batch import Batch, Preprocess, fit_matrices
from neocog.data.dataset import Dataset
from neocog.data.loader import Loader
from neocog.data.open import open_dataset
from neocog.draw.canvas import to_image, to_picture
from neocog.draw.contact_sheet import contact_sheet
from neocog.draw.mask import overlaid
from neocog.errors import DataError, PictureError
from neocog.evaluation import window
from neocog.evaluation.reading import reading_of, scale_of
from neocog.images import Picture, cover, to_channels
from neocog.models import MODELS, adapt_preprocess
from neocog.recipe import Recipe
from neocog.targets import Label, Labels, Mask, Masks, stack
from neocog.tasks import Task
from neocog.training.defaults import built_options, choose_network, with_options
from neocog.training.job import task_of

__all__ = ["augmentation_sheet"]

PICTURES, EPOCHS = 8, 3
PICTURES_A_ROW = 2
DECODED_AT_LEAST = (256, 256)
MASK_OPACITY = 0.4


def augmentation_sheet(recipe: Recipe, options: Mapping[str, Any]) -> Picture:
    """Some pictures of a dataset, each beside what a training would see of it in its first epochs.

    Args:
        recipe: what it leaves open is chosen from the data, as for training.
        options: of whichever chosen members have fields of these names.

    Raises:
        UsageError: an unknown name or a wrong value.
        DataError: not one picture can be read.
    """
    dataset = open_dataset(recipe.dataset, task=recipe.task, **recipe.dataset_options)
    recipe = with_options(choose_network(recipe, dataset, options), options)
    task, known = task_of(recipe, dataset), MODELS[str(recipe.model)].preprocess
    preprocess = adapt_preprocess(known, int(recipe.channels or 3), recipe.image_size or known.size)
    indices = torch.tensor(_some_pictures(dataset), dtype=torch.int64)
    members = built_options(recipe)
    batch = _as_loaded(dataset, indices, task, preprocess)
    fit = window(task.fit(training=True))
    changed = [
        augment(batch, members, fit=fit, size=preprocess.size, geometry=task.geometry, seed=recipe.seed, epoch=epoch, step=epoch)
        for epoch in range(EPOCHS)
    ]
    seen = [task.disturb(one, recipe.seed, epoch) for epoch, one in enumerate(changed)]
    pictures, captions = [], []
    for row, index in enumerate(indices.tolist()):
        pictures += [dataset.picture(index, at_least=DECODED_AT_LEAST), *(_picture(one, row) for one in seen)]
        captions += [_name(dataset, index), *(f"epoch {epoch + 1}{_mixture(one, row, dataset)}" for epoch, one in enumerate(seen))]
    title = f"{dataset.name}: before and after {', '.join(members) or 'no augmentation'}, seen by {recipe.model}"
    return contact_sheet(pictures, captions, columns=PICTURES_A_ROW * (1 + EPOCHS), title=title)


def _some_pictures(dataset: Dataset) -> list[int]:
    """Readable training pictures, as evenly as can be from the first to the last."""
    rows = [index for index in range(len(dataset)) if dataset.given_split(index) in ("train", None)] or list(range(len(dataset)))
    chosen: list[int] = []
    for number in range(min(PICTURES, len(rows))):
        start = number * len(rows) // PICTURES if len(rows) > PICTURES else number
        chosen += [index for index in rows[start : start + PICTURES] if index not in chosen and _readable(dataset, index)][:1]
    if not chosen:
        raise DataError("pictures to show", f"none in {dataset.name} that can be read", "see what neocog data says of them")
    return chosen


def _readable(dataset: Dataset, index: int) -> bool:
    try:
        dataset.picture(index, at_least=DECODED_AT_LEAST)
    except PictureError:
        return False
    return True


def _as_loaded(dataset: Dataset, indices: Int64[Tensor, "n"], task: Task, preprocess: Preprocess) -> Batch:
    """The batch that training's loader would give, without reading all the other pictures first."""
    channels: Literal[1, 3] = 1 if preprocess.channels == 1 else 3
    if task.fit(training=True) != "cover":
        return Loader(dataset, None, channels, scale_of(task, reading_of(preprocess, task))).batch(indices)
    canvas = preprocess.resize
    pictures = [to_channels(dataset.picture(index, at_least=canvas), channels) for index in indices.tolist()]
    sizes = torch.tensor([picture.shape[-2:] for picture in pictures], dtype=torch.int64)
    return Batch(
        pixels=torch.stack([cover(picture, canvas, preprocess.interpolation) for picture in pictures]),
        targets=stack([dataset.target(index) for index in indices.tolist()]),
        keys=indices,
        source_sizes=sizes,
        to_input=fit_matrices("cover", sizes, canvas),
    )


def _picture(batch: Batch, row: int) -> Picture:
    """What is seen, with the classes' colours over it where there is a mask."""
    pixels = batch.pixels[row]
    picture = pixels if pixels.dtype == torch.uint8 else (pixels * 255).round().clamp(0, 255).to(torch.uint8)
    if not isinstance(batch.targets, Masks):
        return picture
    mask = Mask(batch.targets.classes[row].to(torch.int32).to(torch.uint16), batch.targets.void)
    return to_picture(overlaid(to_image(picture), mask, 1, MASK_OPACITY))


def _name(dataset: Dataset, index: int) -> str:
    target = dataset.target(index)
    return dataset.class_names[target.index] if isinstance(target, Label) else dataset.where(index)


def _mixture(batch: Batch, row: int, dataset: Dataset) -> str:
    """Which classes a mixed picture is of, on a line of its own."""
    labels = batch.targets
    if not isinstance(labels, Labels) or float(labels.share[row]) == 1:
        return ""
    portions: dict[str, float] = {}
    for index, portion in ((labels.classes[row], labels.share[row]), (labels.others[row], 1 - labels.share[row])):
        name = dataset.class_names[int(index)]
        portions[name] = portions.get(name, 0.0) + float(portion)
    return "\n" + ", ".join(f"{name} {portion:.0%}" for name, portion in sorted(portions.items(), key=lambda part: -part[1]))
