"""`embedding`: pictures of a dataset laid out by what the network makes of them, by PCA and by t-SNE."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neocog.draw.figure import Panel, figure
from neocog.draw.scatter import class_legend, scatter
from neocog.errors import DataError
from neocog.examine.features import feature_words, features_of
from neocog.examine.member import EXAMINATIONS, Asked, Examination, Findings, Request, Sheet, Table
from neocog.examine.units import evenly, on_what
from neocog.explain.embedding import Plane, aligned, neighbours_kept, principal_plane, tsne_plane
from neocog.images import Picture
from neocog.options import check, option
from neocog.run import Trained
from neocog.run.epochs import at_epoch, kept_epochs

__all__ = ["EmbeddingOptions", "embedding"]

FEWEST, SMALL_SIDE, MOST_EPOCHS, A_ROW = 4, 380, 8, 3
TSNE_NOTE = "t-SNE keeps neighbours together; distances between groups and the sizes of groups mean nothing."


@dataclass(frozen=True)
class EmbeddingOptions:
    """What can be chosen."""

    most: int = option(1_000, "most pictures of the data to lay out, at equal distances", low=4)
    perplexity: float = option(30.0, "about how many neighbours t-SNE gives each picture", low=1)
    thumbnails: bool = option(True, "show as many pictures as find room")

    def __post_init__(self) -> None:
        check(self)


class _Seen(NamedTuple):
    """Pictures, their features and classes."""

    keys: Int64[Tensor, "n"]
    features: Float[Tensor, "n f"]
    classes: list[int]  # below 0 without one
    class_names: Sequence[str]


def embedding(request: Request) -> Findings:
    """See Examination.

    Raises:
        UsageError: a layer that there is not.
        DataError: fewer than four pictures.
    """
    trained, options = request.trained, request.options
    asked = request.open_data()
    asked = asked._replace(rows=evenly(asked.rows, options.most))
    if len(asked.rows) < FEWEST:
        raise DataError("four pictures at least, to lay out", str(len(asked.rows)), "give more")
    seen = _seen(request, trained, asked)
    request.progress.start("t-SNE")
    planes = {"pca": principal_plane(seen.features)}
    planes["tsne"] = tsne_plane(seen.features, perplexity=options.perplexity, seed=request.seed)
    request.progress.done()
    thumbnails = _thumbnails(asked, seen) if options.thumbnails else []
    sheets = [_sheet(request, asked, seen, name, plane, thumbnails) for name, plane in planes.items()]
    kept = {name: neighbours_kept(seen.features, plane.places) for name, plane in planes.items()}
    pure = _purity(seen)
    tables = [_table(planes, kept)]
    if request.over_epochs:
        sheet, table = _moving(request, asked, seen)
        sheets, tables = [*sheets, sheet], [*tables, table]
    facts = {
        "pictures": len(seen.keys),
        "split": asked.split,
        "features": seen.features.shape[1],
        "features_are": feature_words(trained, request.layer),
        "planes": {name: {**plane.figures, "neighbours_kept": kept[name]} for name, plane in planes.items()},
        "same_class_neighbours": pure,
    }
    lines = [f"{len(seen.keys):,} pictures by {feature_words(trained, request.layer)}: {seen.features.shape[1]} features"]
    if pure is not None:
        lines.append(f"of each picture's nearest by the features {100 * pure:.1f} % are of its class")
    return Findings(facts, sheets, tables, lines, _arrays(seen, planes) if request.arrays else {})


def _seen(request: Request, trained: Trained, asked: Asked) -> _Seen:
    request.progress.start("reading features", len(asked.rows))
    parts = list(features_of(trained, asked, asked.rows, request.layer, request.progress))
    request.progress.done()
    keys, features = (torch.cat(column) for column in zip(*parts, strict=True))
    known = asked.material.dataset.class_indices()
    classes = [-1] * len(keys) if known is None else known[keys].tolist()
    return _Seen(keys, features, classes, asked.material.dataset.class_names)


def _thumbnails(asked: Asked, seen: _Seen) -> list[Picture]:
    return [asked.material.dataset.picture(key, at_least=(40, 40)) for key in seen.keys.tolist()]


def _sheet(request: Request, asked: Asked, seen: _Seen, name: str, plane: Plane, thumbnails: Sequence[Picture]) -> Sheet:
    """The plane, and the classes' colours beside it."""
    words = {"pca": "principal components", "tsne": "t-SNE"}[name]
    if name == "pca":
        note = f"The first two principal components hold {100 * plane.figures['explained']:.1f} % of the features' variance."
    else:
        note = f"Perplexity {plane.figures['perplexity']:.3g}. {TSNE_NOTE}"
    where = (
        f"{len(seen.keys):,} pictures of {asked.material.dataset.name}, {asked.split}, by {feature_words(request.trained, request.layer)}."
    )
    panels = [Panel(scatter(plane.places, seen.classes, thumbnails))]
    if any(index >= 0 for index in seen.classes):
        panels.append(Panel(class_legend(seen.class_names, seen.classes)))
    picture = figure([panels], title=f"How {on_what(request.trained)} sees {asked.material.dataset.name}: {words}", notes=[where, note])
    return Sheet(name, picture, f"Each point is a picture in the colour of its class, laid out by {words} of the features.")


def _purity(seen: _Seen) -> float | None:
    """Share of the pictures whose nearest by the features is of their class; None without classes."""
    if min(seen.classes) < 0:
        return None
    far = torch.cdist(seen.features.double(), seen.features.double()).fill_diagonal_(float("inf"))
    classes = torch.tensor(seen.classes)
    return float((classes[far.argmin(1)] == classes).double().mean())


def _table(planes: dict[str, Plane], kept: dict[str, float]) -> Table:
    told = {name: ", ".join(f"{key} {value:.3g}" for key, value in plane.figures.items()) for name, plane in planes.items()}
    rows = [[name, f"{kept[name]:.2f}", told[name]] for name in planes]
    return Table("how faithful the planes are", ["plane", "of the ten nearest still near", "figures"], rows)


def _moving(request: Request, asked: Asked, last: _Seen) -> tuple[Sheet, Table]:
    """A plane for each kept epoch, each begun at the one before and turned to lie on it."""
    epochs = kept_epochs(request.trained)
    if len(epochs) > MOST_EPOCHS:
        epochs = [epochs[round(place * (len(epochs) - 1) / (MOST_EPOCHS - 1))] for place in range(MOST_EPOCHS)]
    places: list[Tensor] = []
    panels, rows = [], []
    for kept in epochs:
        seen = _seen(request, at_epoch(request.trained, kept), asked)
        before = places[-1] if places else None
        plane = tsne_plane(seen.features, perplexity=request.options.perplexity, seed=request.seed, start=before)
        places.append(plane.places if before is None else aligned(plane.places, before))
        panels.append(Panel(scatter(places[-1], seen.classes, side=SMALL_SIDE), heading=f"after epoch {kept.epoch}"))
        pure = _purity(seen)
        kept_near = f"{neighbours_kept(seen.features, places[-1]):.2f}"
        rows.append([str(kept.epoch), "-" if pure is None else f"{100 * pure:.1f} %", kept_near])
    panels.append(Panel(class_legend(last.class_names, last.classes)))
    grid = [panels[start : start + A_ROW] for start in range(0, len(panels), A_ROW)]
    title = f"How {on_what(request.trained)} came to see {asked.material.dataset.name}: t-SNE over the epochs"
    notes = [f"{len(last.keys):,} pictures of {asked.split}. Each plane begins at the one before. {TSNE_NOTE}"]
    headings = ["epoch", "nearest of the same class", "of the ten nearest still near"]
    table = Table("the pictures over the epochs", headings, rows, headings)
    return Sheet("over_epochs", figure(grid, title=title, notes=notes), "How the classes came apart."), table


def _arrays(seen: _Seen, planes: dict[str, Plane]) -> dict[str, Any]:
    own = {"pictures": seen.keys.numpy(), "features": seen.features.numpy(), "classes": torch.tensor(seen.classes).numpy()}
    return own | {name: plane.places.numpy() for name, plane in planes.items()}


EXAMINATIONS.add(
    "embedding",
    Examination(
        embedding,
        "pictures of a dataset laid out by the penultimate features, by PCA and by t-SNE",
        takes="data",
        Options=EmbeddingOptions,
        layered=True,
        over_epochs=True,
        source="L. van der Maaten, G. Hinton, Visualizing Data using t-SNE, 2008, https://www.jmlr.org/papers/v9/vandermaaten08a.html",
    ),
)
