"""Pictures laid out on a plane by what a network makes of them: near each other where it sees them alike.

PCA: H. Hotelling, "Analysis of a complex of statistical variables into principal components", 1933,
https://doi.org/10.1037/h0071325, the plane on which the features spread most.
t-SNE: L. van der Maaten, G. Hinton, "Visualizing Data using t-SNE", 2008, https://www.jmlr.org/papers/v9/vandermaaten08a.html,
which keeps neighbours together; distances between groups and the sizes of groups mean nothing.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

__all__ = ["Plane", "aligned", "entering", "neighbours_kept", "principal_plane", "tsne_plane"]

NEAREST = 10  # of which `neighbours_kept` counts how many stay near
BEFORE_TSNE = 50  # principal components that t-SNE starts from, as in its paper's section 4.2
SPREAD = 1e-4  # standard deviation of the places that t-SNE begins at, as it scales the components


@dataclass(frozen=True)
class Plane:
    """Pictures on a plane.

    Attributes:
        places: x and y of each, in no unit.
        figures: what there is to say of the layout, by name.
    """

    places: Float[Tensor, "n 2"]
    figures: dict[str, float]


@contextlib.contextmanager
def entering(module: nn.Module, layer: str) -> Iterator[list[Tensor]]:
    """What a layer is given while this is open, one tensor "b features" a call; of maps the means of their channels.

    Args:
        module: the whole network.
        layer: dotted name. The layer of the logits is given the penultimate features.
    """
    found: list[Tensor] = []

    def take(layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        given = inputs[0].detach()
        found.append((given.flatten(2).mean(2) if given.ndim == 4 else given.flatten(1)).float())

    handle = module.get_submodule(layer).register_forward_pre_hook(take)
    try:
        yield found
    finally:
        handle.remove()


def principal_plane(features: Float[Tensor, "n f"]) -> Plane:
    """The first two principal components; "explained" of the figures is their share of the variance, in [0, 1].

    The sign of each is such that its largest weight is positive. Features that do not vary lie in one point.
    """
    centred = (features - features.mean(0)).double()
    _, values, directions = torch.linalg.svd(centred, full_matrices=False)
    directions = directions[:2]
    signs = directions.gather(1, directions.abs().argmax(1, keepdim=True)).sign()
    places = torch.zeros(len(features), 2, dtype=torch.float64)
    places[:, : len(directions)] = centred @ (directions * torch.where(signs == 0, 1.0, signs)).T
    total = float(values.square().sum())
    return Plane(places.float(), {"explained": float(values[:2].square().sum()) / total if total else 0.0})


def tsne_plane(features: Float[Tensor, "n f"], *, perplexity: float, seed: int, start: Float[Tensor, "n 2"] | None = None) -> Plane:
    """t-SNE of the first 50 principal components, begun at the first two so that it draws little at random.

    "divergence" of the figures is what it made smallest (Kullback-Leibler).

    Args:
        features: of at least 4 pictures.
        perplexity: about how many neighbours each picture has; is made smaller than a third of the pictures.
        seed: of its draws.
        start: places to begin at, in place of the components: then two layouts can be compared.
    """
    from sklearn.manifold import TSNE

    centred = (features - features.mean(0)).double()
    _, _, directions = torch.linalg.svd(centred, full_matrices=False)
    reduced = (centred @ directions[:BEFORE_TSNE].T).numpy()
    able = min(perplexity, (len(features) - 1) / 3)
    first = "pca" if start is None else (SPREAD * (start - start.mean(0)) / start.std().clamp(min=1e-12)).numpy()
    layout = TSNE(2, perplexity=able, init=first, random_state=seed, n_jobs=1)
    places = torch.from_numpy(layout.fit_transform(reduced)).float()
    return Plane(places, {"divergence": float(layout.kl_divergence_), "perplexity": able})


def neighbours_kept(features: Float[Tensor, "n f"], places: Float[Tensor, "n 2"]) -> float:
    """Share of each picture's ten nearest by the features that are among its ten nearest on the plane, in [0, 1]."""
    count = min(NEAREST, len(features) - 1)
    if count < 1:
        return 1.0
    near, shown = _nearest(features, count), _nearest(places, count)
    return float((near[:, :, None] == shown[:, None, :]).any(2).float().mean())


def aligned(places: Float[Tensor, "n 2"], onto: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2"]:
    """The places turned, mirrored, moved and scaled as a whole so that they come nearest to others, by least squares.

    P. Schönemann, "A generalized solution of the orthogonal Procrustes problem", 1966, https://doi.org/10.1007/BF02289451
    """
    own, other = (points - points.mean(0) for points in (places.double(), onto.double()))
    left, values, right = torch.linalg.svd(own.T @ other)
    size = float(own.square().sum())
    scale = float(values.sum()) / size if size else 0.0
    moved: Tensor = scale * own @ left @ right + onto.double().mean(0)
    return moved.float()


def _nearest(points: Tensor, count: int) -> Int64[Tensor, "n k"]:
    """The nearest of each point but itself."""
    distances = torch.cdist(points.double(), points.double())
    return distances.fill_diagonal_(float("inf")).topk(count, largest=False).indices
