"""Weights that others have trained and published: which there are, where from, and on what terms.

The facts are the rows of published.csv. Those of torchvision's files (address, the digits of SHA-256 in the name,
how images are resized, accuracy) are torchvision's own; the figures of the CIFAR-10 networks are their
repository's. Two networks want other images than torchvision's page says: it normalises images by ImageNet's mean
and standard deviation, and googlenet and inception_v3 themselves turn them back to the range [-1, 1] that their
weights were trained on. Here the weights' own mean and standard deviation, 0.5 and 0.5, stand in the table.

Of vgg16 torchvision has a second file whose dense layers hold no numbers; it is no classifier, and is left out.

Networks for segmentation were trained on those pictures of COCO that have VOC's classes, and label these: `voc`. Their
mean IoU is on the pictures of COCO's validation split with these classes. Images are scaled to a short side of 520
pixels.
"""

import csv
import functools
import importlib.resources
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from neocog.batch import Preprocess
from neocog.errors import SurroundingsError, UsageError
from neocog.fetch import Published, PublishedFile
from neocog.machine import data_folder
from neocog.models.state import StateFile, read_state
from neocog.registry import closest

__all__ = ["PublishedWeights", "all_published_weights", "named_weights", "open_weights", "published_weights", "weights_called"]

FOLDER = "weights"  # below the data folder
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
VOC = (
    "background",
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog", "horse"),
    *("motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
CLASS_NAMES = {"CIFAR-10": CIFAR10, "COCO": VOC}
"""Of outputs that a state dict does not name. ImageNet's thousand are known wherever they appear."""

TERMS = {
    "ImageNet": "ImageNet, whose terms are for research and education",
    "CIFAR-10": "CIFAR-10, which states none",
    "COCO": "COCO, photos under the terms of Flickr, its labels under CC BY 4.0",
}
"""Of the pictures that weights were trained on."""


@dataclass(frozen=True)
class PublishedWeights:
    """One file of weights.

    Attributes:
        model: name of the architecture.
        name: what `--weights` calls them; "imagenet" are torchvision's first.
        file: below the folder of weights in the data folder.
        url: where it is published; "" where it can only be put in place by hand.
        size: in bytes; None where it is not known.
        sha256: of the file, in hexadecimal; its first digits where no more are published.
        licence: that the file is distributed under.
        trained_on: the pictures.
        preprocess: how the network wants its images with these weights.
        top1: per cent of validation or test pictures named rightly; None where nobody says.
        top5: likewise, among the five best answers.
        mean_iou: per cent, the mean over the classes of intersection by union, of networks that label every pixel; None
            where nobody says.
        source: page with the figures.
    """

    model: str
    name: str
    file: str
    url: str
    size: int | None
    sha256: str
    licence: str
    trained_on: str
    preprocess: Preprocess
    top1: float | None
    top5: float | None
    source: str
    mean_iou: float | None = None

    @property
    def path(self) -> Path:
        """Where the file lies, or is to be put."""
        return data_folder() / FOLDER / self.file

    @property
    def download(self) -> Published:
        """What `neocog.fetch` must know of it."""
        place = PurePosixPath(FOLDER, self.file)
        mirrors = (self.url.removesuffix(place.name),) if self.url else ()
        return Published(str(place.parent), (PublishedFile(place.name, self.size, self.sha256),), mirrors)

    @property
    def terms(self) -> str:
        """The licence, and what was trained on."""
        return f"{self.licence}; trained on {TERMS[self.trained_on]}"


@functools.cache
def all_published_weights() -> tuple[PublishedWeights, ...]:
    """All rows of the table, those of one architecture together."""
    table = importlib.resources.files("neocog.models").joinpath("published.csv").read_text(encoding="utf-8")
    return tuple(_of_row(row) for row in csv.DictReader(table.splitlines()))


def published_weights(model: str) -> tuple[PublishedWeights, ...]:
    """Those of one architecture, the usual ones first; none where nobody has published any."""
    return tuple(row for row in all_published_weights() if row.model == model)


def weights_called(model: str, name: str | None = None) -> PublishedWeights:
    """Published weights by name.

    Args:
        model: name of the architecture.
        name: of the weights; None takes the usual ones.

    Raises:
        UsageError: the architecture has none, or none of that name.
    """
    rows = published_weights(model)
    if not rows:
        remedy = f"train it: neocog train DATA --model {model}"
        raise UsageError("an architecture with published weights", f"{model}, which has none", remedy)
    found = next((row for row in rows if name in (None, row.name)), None)
    if found is None:
        raise UsageError(f"the name of published weights of {model}", repr(name), closest(str(name), [row.name for row in rows]))
    return found


def named_weights(model: str, weights: Path | str) -> PublishedWeights | None:
    """The published weights that a text names; None where it is the path of a file.

    A file that is there comes before a name. What has a suffix or a folder in it is a path.

    Raises:
        UsageError: neither.
    """
    place = Path(weights).expanduser()
    if isinstance(weights, Path) or place.is_file() or place.suffix or place.name != weights:
        return None
    names = [row.name for row in published_weights(model)]
    if weights not in names:
        known = f"the name of published weights of {model} ({', '.join(names)}), or a file of weights" if names else "a file of weights"
        found = f"{weights!r}, no file and no such name" if names else f"{weights!r}, no file, and none are published for {model}"
        raise UsageError(known, found, closest(weights, names) if names else "give the path of a safetensors file or a state dict")
    return weights_called(model, weights)


def open_weights(model: str, weights: Path | str) -> StateFile:
    """Read weights from a file, or published ones by their name, from where `neocog fetch` puts them.

    Published ones must be the very bytes that were published, and bring their preprocessing and their classes.

    Args:
        model: name of the architecture.
        weights: a path, or a name; see `named_weights`.

    Raises:
        UsageError: neither a file nor a name of published weights.
        SurroundingsError: the published file is not here.
        WeightsError: it is another file than the published one, or cannot be read.
    """
    published = named_weights(model, weights)
    if published is None:
        return read_state(Path(weights).expanduser())
    if not published.path.is_file():
        raise _not_here(published)
    state = read_state(published.path, sha256=published.sha256)
    return replace(state, preprocess=published.preprocess, class_names=CLASS_NAMES.get(published.trained_on))


def _not_here(published: PublishedWeights) -> SurroundingsError:
    expected = f"the weights {published.name} of {published.model}: {published.path.name}, {published.download.files[0].in_words}"
    by_hand = f"put {published.url or 'the file'} there by hand"
    usual = published == weights_called(published.model)
    command = f"neocog fetch {published.model}" + ("" if usual else f" --weights {published.name}")
    return SurroundingsError(expected, f"no {published.path}", f"{command}, or {by_hand}" if published.url else by_hand)


def _of_row(row: dict[str, str]) -> PublishedWeights:
    size, resize = int(row["size"]), int(row["resize"])
    statistics: dict[str, Any] = {name: tuple(map(float, row[name].split())) for name in ("mean", "std") if row[name]}
    interpolation: Any = row["interpolation"]
    return PublishedWeights(
        **{name: row[name] for name in ("model", "name", "file", "url", "sha256", "licence", "trained_on", "source")},
        size=int(row["bytes"]) if row["bytes"] else None,
        preprocess=Preprocess((size, size), (resize, resize), interpolation=interpolation, **statistics),
        top1=float(row["top1"]) if row["top1"] else None,
        top5=float(row["top5"]) if row["top5"] else None,
        mean_iou=float(row["mean_iou"]) if row["mean_iou"] else None,
    )
