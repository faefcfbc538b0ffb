"""The neocognitron: simple cells that learn features without a teacher, complex cells that forgive their shifts.

K. Fukushima, "Neocognitron: A Self-organizing Neural Network Model for a Mechanism of Pattern Recognition
Unaffected by Shift in Position", Biological Cybernetics 36, 1980, https://doi.org/10.1007/BF00344251

A retina and three pairs of layers; each layer has 24 planes, and the cells of a plane look for one thing at
every place. Windows move by one cell and stand in the middle of the layer before; outside all is silent.

    layer   cells        window   selectivity r   gain q
    U0      16x16
    US1     16x16x24     5x5      4.0              1.0
    UC1     10x10x24     5x5
    US2       8x8x24     5x5      1.5             16.0
    UC2       6x6x24     5x5
    US3       2x2x24     5x5      1.5             16.0
    UC3       1x1x24     2x2

An S-cell is excited by a window over all planes of the layer before, u, and shunted by a V-cell, the root mean
square of that window under fixed weights c, which fall with the distance from its middle:

    u_S = r phi((1 + sum a u) / (1 + 2r/(1+r) b v) - 1),    v = sqrt(sum c u^2),    phi(x) = max(x, 0).

A cell that has learnt one window answers those whose angle to it, under c, has a cosine above r/(1+r). A C-cell
is excited by a window of one S-plane under fixed weights d, and shunted by the mean v_S of that over all planes:

    u_C = psi((1 + sum d u_S) / (1 + v_S) - 1),    psi(x) = phi(x) / (alpha + phi(x)),    alpha = 0.5.

Learning. In every S-column, a window over all planes, the strongest cell becomes a candidate; the strongest
candidate of a plane is its seed. All cells of the plane get what the seed gains: a grows by q c u over the
seed's window, b by q v / 2. Cells that have learnt nothing yet answer everything weakly, so they win where no
other answers, and learn what is new. No label is seen, and nothing is differentiated.

Chosen here, where the paper leaves it open or its figure is not known for certain:
  - c and d fall as powers of the distance from the middle; c sums to 1, d is 1 in the middle.
  - Initial a are small random shares of c; initial b are 0.
  - S-columns are 5x5 cells, and in US3 the whole layer.
  - The layers learn one after the other, as in Fukushima's later work, each from `presentations` pictures, one
    by one. The paper shows its five patterns again and again; here a picture is new each time.
  - The retina is the mean of the colours, bright on dark. Larger images make larger planes, and the last
    window is always the whole plane.
  - All layers are more selective than the table says, r = 12, 2 and 2: the paper's patterns are thin lines, and
    the soft strokes of digits that are enlarged from 8x8 pixels look too much alike for its figures. Sharper
    pictures, as MNIST's at 16x16, want the paper's own (`selectivity`).

The classifier is not the paper's, whose last C-cells are read by eye. An image is of the class whose mean
features are nearest, and these means are all that labels are used for. The features are all C-cells, each
layer at a fixed length, the later ones shorter: of handwriting by many people, as opposed to a few patterns
that return, 24 planes keep most in UC1 and least in the 24 cells of UC3.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from neocog.batch import Batch, Preprocess
from neocog.layers import Reach
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Learner, Network
from neocog.options import check, option
from neocog.targets import Labels

__all__ = ["Neocognitron", "NeocognitronOptions", "neocognitron"]


class Pair(NamedTuple):
    """One S-layer and the C-layer after it. Windows, margins and columns in cells.

    Attributes:
        gain: q.
        simple_margin: rows and columns of silence around the layer before.
        complex_window: None is the whole plane.
        complex_margin: the same around the S-layer; negative where its outer cells have no C-cell above them.
        column: side of an S-column.
    """

    gain: float
    simple_margin: int
    complex_window: int | None
    complex_margin: int
    column: int


PAIRS = (Pair(1.0, 2, 5, -1, 5), Pair(16.0, 1, 5, 1, 5), Pair(16.0, 0, None, 0, 2))
WINDOW = 5  # of all S-cells
ALPHA = 0.5
FALL_OF_C, FALL_OF_D = 0.6, 0.7  # for each cell of distance
INITIAL = 1e-4  # the largest share of c that an initial weight a has
SHARES = (1.0, 0.3, 0.1)  # lengths of the C-layers' features


@dataclass(frozen=True)
class NeocognitronOptions:
    """What can be chosen."""

    planes: int = option(24, "cell planes of each layer of the neocognitron", low=1)
    selectivity: tuple[float, float, float] = option((12.0, 2.0, 2.0), "r of each layer of S-cells", above=0)
    presentations: int = option(500, "pictures that each layer of S-cells learns from", low=1)

    def __post_init__(self) -> None:
        check(self)


class Retina(nn.Module):
    """The photoreceptors: how bright each place is."""

    def forward(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 1 h w"]:
        """The mean of the colours; nothing is darker than 0."""
        return images.mean(dim=1, keepdim=True).clamp(min=0)


class SimpleCells(nn.Module):
    """A layer of S-cells with the V-cells that shunt it.

    Args:
        before: planes of the layer before.
        planes: of this layer.
        selectivity: r.
        pair: the row of the table.

    Attributes:
        excitation: a, "planes before 5 5".
        inhibition: b, "planes".
    """

    def __init__(self, before: int, planes: int, selectivity: float, pair: Pair) -> None:
        super().__init__()
        self.selectivity, self.pair = selectivity, pair
        shape = planes, before, WINDOW, WINDOW
        share = self.shares(torch.empty(shape))
        self.excitation = nn.Parameter(torch.rand(shape) * share * INITIAL, requires_grad=False)
        self.inhibition = nn.Parameter(torch.zeros(planes), requires_grad=False)

    def shares(self, like: Float[Tensor, "k p h w"]) -> Float[Tensor, "1 p h w"]:
        """The weights c, which sum to 1 over a window of all planes."""
        fall = _fall(like.shape[2], like.shape[3], FALL_OF_C, like)
        return (fall / (like.shape[1] * fall.sum())).expand(1, *like.shape[1:])

    def forward(self, maps: Float[Tensor, "b p h w"]) -> Float[Tensor, "b k i j"]:
        """The cells' answers, 0 or more."""
        return self.answers(maps)[0]

    def answers(self, maps: Float[Tensor, "b p h w"]) -> tuple[Float[Tensor, "b k i j"], Float[Tensor, "b 1 i j"]]:
        """The answers of S-cells and of V-cells."""
        margin, ratio = self.pair.simple_margin, 2 * self.selectivity / (1 + self.selectivity)
        excited = functional.conv2d(maps, self.excitation, padding=margin)
        v = functional.conv2d(maps.square(), self.shares(self.excitation), padding=margin).clamp(min=0).sqrt()
        shunted = (1 + excited) / (1 + ratio * self.inhibition[:, None, None] * v)
        return self.selectivity * functional.relu(shunted - 1), v

    def learn(self, maps: Float[Tensor, "p h w"]) -> None:
        """Let the planes whose cells are seeds gain from one picture.

        Args:
            maps: the answers of the layer before.
        """
        answers, v = (found[0] for found in self.answers(maps[None]))
        gain, share = self.pair.gain, self.shares(self.excitation)[0]
        margins = (self.pair.simple_margin,) * 4
        around = functional.pad(maps, margins)
        for plane, (row, column) in _seeds(answers, self.pair.column).items():
            self.excitation[plane] += gain * share * around[:, row : row + WINDOW, column : column + WINDOW]
            self.inhibition[plane] += gain / 2 * v[0, row, column]

    def reach(self, before: Reach, side: int) -> Reach:
        """As a convolution's: see `neocog.layers.reach`."""
        return before.through(WINDOW, padding=self.pair.simple_margin)

    def multiply_adds(self, output: Tensor) -> int:
        """Of the S-cells and of the V-cells, of which there is one at each place."""
        places = output.numel() // len(self.excitation)
        return (len(self.excitation) + 1) * places * self.excitation[0].numel()


class ComplexCells(nn.Module):
    """A layer of C-cells, each shunted by the mean excitation at its place.

    Args:
        pair: the row of the table.
    """

    def __init__(self, pair: Pair) -> None:
        super().__init__()
        self.window, self.margin = pair.complex_window, pair.complex_margin

    def forward(self, maps: Float[Tensor, "b k h w"]) -> Float[Tensor, "b k i j"]:
        """The cells' answers, in [0, 1)."""
        within = functional.pad(maps, (self.margin,) * 4)
        height, width = (self.window or side for side in within.shape[2:])
        weights = _fall(height, width, FALL_OF_D, maps).expand(maps.shape[1], 1, height, width)
        excited = functional.conv2d(within, weights, groups=maps.shape[1])
        above = functional.relu((1 + excited) / (1 + excited.mean(dim=1, keepdim=True)) - 1)
        return above / (ALPHA + above)

    def reach(self, before: Reach, side: int) -> Reach:
        """As a pooling's; everything where the window is the whole plane."""
        if self.window is None:
            height, width = max(before.height, side), max(before.width, side)
            return before._replace(height=height, width=width, top=min(before.top, 0), left=min(before.left, 0))
        return before.through(self.window, padding=self.margin)


class NearestMean(nn.Module):
    """How near the features are to the mean of each class.

    Args:
        features: how many there are.
        classes: how many there are.

    Attributes:
        means: "classes features".
        counts: pictures that each mean is of.
        shown: pictures that layers of S-cells have learnt from so far, all layers together.
    """

    counts: Tensor
    shown: Tensor

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.means = nn.Parameter(torch.zeros(classes, features), requires_grad=False)
        self.register_buffer("counts", torch.zeros(classes))
        self.register_buffer("shown", torch.zeros((), dtype=torch.int64))

    def forward(self, features: Float[Tensor, "b f"]) -> Float[Tensor, "b k"]:
        """Minus the squared distances."""
        return 2 * features @ self.means.T - self.means.square().sum(dim=1) - features.square().sum(dim=1, keepdim=True)

    def learn(self, features: Float[Tensor, "b f"], labels: Int64[Tensor, "b"]) -> None:
        """Move the means of the classes that were seen."""
        self.counts += torch.bincount(labels, minlength=len(self.counts))
        steps = (features - self.means[labels]) / self.counts[labels, None]
        self.means.index_add_(0, labels, steps)

    def forget(self) -> None:
        """Begin anew."""
        self.means.zero_()
        self.counts.zero_()

    def multiply_adds(self, output: Tensor) -> int:
        """One for each class and feature."""
        return output.numel() * self.means.shape[1]


class Neocognitron(Learner):
    """Six layers in order; the head sees the C-layers.

    Args:
        spec: what is asked of it.
    """

    epochs = 3
    keeps_scale = True
    head: NearestMean

    def __init__(self, spec: ModelSpec) -> None:
        options: NeocognitronOptions = spec.options
        planes = options.planes
        stages: dict[str, nn.Module] = {}
        for number, (pair, selectivity) in enumerate(zip(PAIRS, options.selectivity, strict=True), start=1):
            stages[f"s{number}"] = nn.Sequential()
            if number == 1:
                stages["s1"].add_module("retina", Retina())
            stages[f"s{number}"].add_module("cells", SimpleCells(1 if number == 1 else planes, planes, selectivity, pair))
            stages[f"c{number}"] = ComplexCells(pair)
        height, width = spec.preprocess.size
        features = planes * ((height - 6) * (width - 6) + (height - 10) * (width - 10) + 1)
        head = NearestMean(features, spec.num_classes)
        super().__init__(stages, head, channels=(planes,) * len(stages), preprocess=spec.preprocess, num_classes=spec.num_classes)
        self.presentations = options.presentations

    def forward(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k"]:
        """Minus the squared distance of the features from each class's mean."""
        logits: Tensor = self.head(self.features(images))
        return logits

    def features(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b f"]:
        """All C-cells, UC1's first; each layer's at its own length."""
        layers = self.feature_maps(images, [name for name in self.stages if name.startswith("c")]).values()
        lengths = zip(layers, SHARES, strict=True)
        return torch.cat([share * functional.normalize(maps.flatten(1)) for maps, share in lengths], dim=1)

    @property
    def input_layer(self) -> None:
        """None: there is neither a convolution nor a linear layer."""
        return

    @property
    def output_layers(self) -> tuple[str, ...]:
        """None: distances have no rows of weights for a class."""
        return ()

    @torch.no_grad()
    def update(self, batch: Batch, generator: torch.Generator) -> dict[str, float]:
        """Show pictures to the layer of S-cells whose turn it is, then let the class means follow.

        What the means have gathered is forgotten whenever a layer has learnt, because then the features are others.

        Returns:
            "loss", the share of the pictures that were answered wrongly before.

        Raises:
            TypeError: the batch has no labels.
        """
        if not isinstance(batch.targets, Labels):
            raise TypeError(f"expected labels to learn from, found {type(batch.targets).__name__}")
        images = self.preprocess.normalise(batch.images)
        labels = torch.where(batch.targets.share < 0.5, batch.targets.others, batch.targets.classes)
        wrong = int((self(images).argmax(dim=1) != labels).sum())
        order = torch.randperm(len(images), generator=generator, device=generator.device).to(images.device)
        while len(order) and (layer := int(self.head.shown) // self.presentations) < len(PAIRS):
            rows = order[: self.presentations - int(self.head.shown) % self.presentations]
            self._learn(layer + 1, images[rows])
            self.head.shown += len(rows)
            self.head.forget()
            order = order[len(rows) :]
        self.head.learn(self.features(images), labels)
        return {"loss": wrong / len(images)}

    def _learn(self, number: int, images: Float[Tensor, "b c h w"]) -> None:
        """Show pictures to a layer of S-cells, one after the other."""
        cells = self.stages[f"s{number}"].get_submodule("cells")
        assert isinstance(cells, SimpleCells)
        before = f"c{number - 1}"
        seen = self.feature_maps(images, [before])[before] if number > 1 else Retina()(images)
        for maps in seen:
            cells.learn(maps)


def _fall(height: int, width: int, power: float, like: Tensor) -> Float[Tensor, "h w"]:
    """Weights of a window that are 1 in its middle and fall by a factor for each cell of distance."""
    rows, columns = (torch.arange(side, dtype=like.dtype, device=like.device) - (side - 1) / 2 for side in (height, width))
    return power ** (rows[:, None].square() + columns.square()).sqrt()


def _seeds(answers: Float[Tensor, "k h w"], column: int) -> dict[int, tuple[int, int]]:
    """The row and the column of the seed of each plane that has one: its strongest cell that is the strongest of an S-column."""
    strongest, planes = answers.max(dim=0)
    height, width = strongest.shape
    size = min(column, height), min(column, width)
    _, places = functional.max_pool2d(strongest[None, None], size, stride=1, return_indices=True)
    seeds: dict[int, tuple[int, int]] = {}
    candidates = places.unique()
    for place in candidates[strongest.flatten()[candidates].argsort(descending=True, stable=True)].tolist():
        row, at = divmod(place, width)
        if strongest[row, at] > 0:
            seeds.setdefault(int(planes[row, at]), (row, at))
    return seeds


def neocognitron(spec: ModelSpec) -> Network:
    """Stages s1, c1, s2, c2, s3 and c3; the nearest class mean is the head."""
    return Neocognitron(spec)


MODELS.add_named(
    Entry(
        name="neocognitron",
        build=neocognitron,
        year=1980,
        paper="K. Fukushima, Neocognitron: A Self-organizing Neural Network Model for a Mechanism of Pattern Recognition "
        "Unaffected by Shift in Position, 1980, https://doi.org/10.1007/BF00344251",
        preprocess=Preprocess((16, 16), (16, 16), channels=1, mean=(0.0,), std=(1.0,)),
        parameters=24 * (25 + 1) + 2 * 24 * (24 * 25 + 1) + 10 * 24 * (100 + 36 + 1),
        Options=NeocognitronOptions,
        min_size=16,
        channels=(1, 3, 4),
        classes=10,
        traits=frozenset(),
    ),
)
