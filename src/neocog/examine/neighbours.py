"""`neighbours`: the pictures of a dataset that the network sees as most like a picture."""

from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.draw.figure import Panel, figure
from neocog.draw.mosaic import cell_for, mosaic
from neocog.examine.features import feature_words, features_of, features_of_images
from neocog.examine.member import EXAMINATIONS, Asked, Examination, Findings, Request, Sheet
from neocog.examine.pictures import Pictures
from neocog.examine.units import as_picture, evenly, images_of, on_what
from neocog.explain.neighbours import Distance, Nearest, nearest
from neocog.images import Picture
from neocog.options import check, option

__all__ = ["NeighboursOptions", "neighbours"]

MOST_ASKED, CELL = 6, 112


@dataclass(frozen=True)
class NeighboursOptions:
    """What can be chosen."""

    count: int = option(8, "neighbours of each picture", low=1, high=16)
    most: int = option(10_000, "most pictures of the data to look among, at equal distances", low=1)
    distance: Distance = option("euclidean", "how far two pictures' features are: by length or by angle")

    def __post_init__(self) -> None:
        check(self)


class _Asked(NamedTuple):
    """The pictures asked about."""

    images: list[Tensor]
    names: list[str]
    features: Float[Tensor, "q f"]


def neighbours(request: Request) -> Findings:
    """See Examination.

    Raises:
        UsageError: no data to look among, or a layer that there is not.
    """
    trained, options = request.trained, request.options
    data = request.open_data()
    rows = evenly(data.rows, options.most)
    pictures = Pictures(request, most=MOST_ASKED)
    asked = _asked(request, pictures)
    among = len(rows)
    request.progress.start("looking for neighbours", among)
    batches = features_of(trained, data, rows, request.layer, request.progress)
    found = nearest(asked.features, batches, count=options.count + 1, kind=options.distance)  # one more: a picture may be among them
    request.progress.done()
    listed = [_listed(request, data, found, row, name) for row, name in enumerate(asked.names)]
    facts = {
        "features_are": feature_words(trained, request.layer),
        "distance": options.distance,
        "among": among,
        "split": data.split,
        "pictures": [{"picture": name, "neighbours": own} for name, own in zip(asked.names, listed, strict=True)],
    }
    lines = [
        f"among {among:,} pictures of {data.material.dataset.name}, {data.split}",
        *(f"left out: {fault}" for fault in pictures.left_out),
    ]
    arrays = {"distances": found.distances.numpy(), "pictures": found.keys.numpy(), "features": asked.features.numpy()}
    return Findings(facts, [_sheet(request, data, asked, listed)], (), lines, arrays if request.arrays else {})


def _asked(request: Request, pictures: Pictures) -> _Asked:
    images: list[Tensor] = []
    names: list[str] = []
    features = []
    for shown in pictures:
        given = shown.batch.images[: MOST_ASKED - len(images)]
        features.append(features_of_images(request.trained, given, request.layer))
        images += [image.cpu() for image in given]
        names += list(islice(shown.names, len(given)))
        if len(images) == MOST_ASKED:
            break
    return _Asked(images, names, torch.cat(features))


def _listed(request: Request, data: Asked, found: Nearest, row: int, name: str) -> list[dict[str, Any]]:
    """The neighbours of one picture; itself, where it is one of the data, is none."""
    dataset, own = data.material.dataset, not request.pictures
    classes = dataset.class_indices()
    listed = [
        {
            "picture": dataset.where(key),
            "index": key,
            "distance": far,
            "class": "" if classes is None else dataset.class_names[int(classes[key])],
        }
        for far, key in zip(found.distances[row].tolist(), found.keys[row].tolist(), strict=True)
    ]
    return [one for one in listed if not own or one["picture"] != name][: request.options.count]


def _sheet(request: Request, data: Asked, asked: _Asked, listed: list[list[dict[str, Any]]]) -> Sheet:
    """A row for each picture, itself first."""
    images = images_of(request.trained, data, [one["index"] for own in listed for one in own])
    rows: list[list[Panel]] = []
    for image, name, own in zip(asked.images, asked.names, listed, strict=True):
        panels = [Panel(_shown(image), name, "asked about" if not rows else "")]
        panels += [Panel(_shown(images[one["index"]]), _words(one)) for one in own]
        rows.append(panels)
    title = f"What {on_what(request.trained)} sees as alike"
    by = feature_words(request.trained, request.layer)
    note = f"The nearest of {data.material.dataset.name}, {data.split}, by the {request.options.distance} distance of {by}."
    picture = figure(rows, title=title, notes=[note])
    return Sheet("nearest", picture, "At the left the picture, at the right its nearest, the nearest first.")


def _words(one: dict[str, Any]) -> str:
    far = f"{one['distance']:.3g}"
    return f"{one['class']}\n{far}" if one["class"] else far


def _shown(image: Tensor) -> Picture:
    return mosaic([as_picture(image)], 1, cell_for(max(image.shape[1:]), CELL))


EXAMINATIONS.add(
    "neighbours",
    Examination(
        neighbours,
        "the pictures of a dataset that the network sees as most like a picture, by the penultimate features",
        takes="pictures",
        Options=NeighboursOptions,
        layered=True,
        source="A. Krizhevsky, I. Sutskever, G. Hinton, ImageNet Classification with Deep Convolutional Neural Networks, 2012, figure 4",
    ),
)
