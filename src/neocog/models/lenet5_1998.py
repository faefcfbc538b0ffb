"""LeNet-5 as its paper has it: partial connections, trainable sub-sampling, distances to drawn codes.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998,
https://doi.org/10.1109/5.726791, section II.B, figure 2, table I, appendix A

What differs from `lenet5`, today's common form: the maps of C3 see 3, 4 or 6 of the six maps of S2, by table I;
S2 and S4 add up 2x2 points, multiply the sum by a coefficient and add a bias, both learnt, one each for a map;
every layer up to F6 is squashed by 1.7159 tanh(2x/3); an output is the squared distance between the 84
units of F6 and the class's code, a picture of its character in 7x12 pixels of -1 and 1 that is drawn, not learnt.

                C1       S2     C3       S4     C5      F6      output   together
    parameters  156      12     1,516    32     48,120  10,164  -        60,000
    connections 122,304  5,880  151,600  2,000  48,120  10,164  840      340,908

Both sums are those of the paper; that of the connections needs the 840 lines to the fixed codes.

What differs from the paper: the codes are drawn here in the spirit of its figure 3. It has codes for the 96
characters of ASCII; here classes 0 to 9 have those of the digits where there are no more than ten, and
otherwise every class has the lowest 84 bits of the SHA-256 of its number. C5, a 5x5 convolution on 5x5 maps,
is the dense layer that it equals. The paper trained by a stochastic diagonal Levenberg-Marquardt method.

Logits are minus the distances, so that the class of the least distance has the highest. Images under 32 pixels
are surrounded by the background, which is -0.1 where the ink is 1.175, as the paper does with the 28x28 pixels
of MNIST; larger ones widen C5. Initial weights are uniform up to 2.4 over the fan-in.
"""

import hashlib

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from neocog.batch import Preprocess
from neocog.layers import Reach, ScaledTanh, TableConvolution, initialise_for_scaled_tanh, uniform_by_fan_in
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["CodeDistance", "LeNet5", "Subsampling", "codes", "connections", "lenet5_1998"]

PAPER_SIDE = 32  # pixels
BACKGROUND, INK = -0.1, 1.175
POOL = 2

TABLE_I = """
    X . . . X X X . . X X X X . X X
    X X . . . X X X . . X X X X . X
    X X X . . . X X X . . X . X X X
    . X X X . . X X X X . . X . X X
    . . X X X . . X X X X . X X . X
    . . . X X X . . X X X X . X X X
"""
"""A row for each map of S2, a column for each map of C3 that sees it."""

DIGITS = """
    ....... ....... ....... ....... ....... ....... ....... ....... ....... .......
    ..###.. ...#... .#####. .#####. .....#. ####### ..####. ####### .#####. .####..
    .#...#. ..##... #.....# #.....# ....##. #...... .#..... ......# #.....# #....#.
    #.....# .#.#... ......# ......# ...#.#. #...... #...... .....#. #.....# #.....#
    #.....# ...#... ......# ......# ..#..#. #...... #...... .....#. #.....# #.....#
    #.....# ...#... .....#. ..####. .#...#. ######. #.####. ....#.. .#####. #....##
    #.....# ...#... ....#.. ......# #....#. ......# ##....# ....#.. #.....# .####.#
    #.....# ...#... ..##... ......# ####### ......# #.....# ...#... #.....# ......#
    #.....# ...#... .#..... ......# .....#. ......# #.....# ...#... #.....# ......#
    .#...#. ...#... #...... #.....# .....#. #.....# .#....# ..#.... #.....# .....#.
    ..###.. .#####. ####### .#####. .....#. .#####. ..####. ..#.... .#####. .####..
    ....... ....... ....... ....... ....... ....... ....... ....... ....... .......
"""
HEIGHT, WIDTH = 12, 7  # pixels of a digit
UNITS = HEIGHT * WIDTH  # of F6


def connections() -> tuple[tuple[int, ...], ...]:
    """For each map of C3 the maps of S2 that it sees."""
    columns = zip(*(row.split() for row in TABLE_I.strip().splitlines()), strict=True)
    return tuple(tuple(source for source, mark in enumerate(column) if mark == "X") for column in columns)


def codes(num_classes: int) -> Float[Tensor, "classes units"]:
    """A code of 84 units of -1 and 1 for each class: the drawn digits for up to ten, else bits of a hash of its number."""
    rows = [row.split() for row in DIGITS.strip().splitlines()]
    drawn = ["".join(parts) for parts in zip(*rows, strict=True)]
    if num_classes <= len(drawn):
        bits = [[mark == "#" for mark in picture] for picture in drawn[:num_classes]]
    else:
        numbers = [int.from_bytes(hashlib.sha256(str(index).encode()).digest()) for index in range(num_classes)]
        bits = [[bool(number >> place & 1) for place in range(UNITS)] for number in numbers]
    return 2 * torch.tensor(bits, dtype=torch.get_default_dtype()) - 1


class Subsampling(nn.Module):
    """The sum of each 2x2 points times a coefficient, plus a bias: S2 and S4.

    The coefficient is a weight of four inputs, and its initial value is drawn like that of any other weight.

    Args:
        channels: of the maps; each has its own coefficient and bias.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        uniform_by_fan_in(self.weight, POOL**2)

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        """Maps of half the size; an odd last row or column is lost."""
        sums = functional.avg_pool2d(maps, POOL, divisor_override=1)
        return sums * self.weight[:, None, None] + self.bias[:, None, None]

    def reach(self, before: Reach, side: int) -> Reach:
        """As a pooling: see `neocog.layers.reach`."""
        return before.through(POOL, stride=POOL)

    def multiply_adds(self, output: Tensor) -> int:
        """One for each point."""
        return output.numel()


class CodeDistance(nn.Module):
    """Minus the squared Euclidean distance between the units of F6 and the code of each class, equation 7.

    Args:
        num_classes: how many codes there are; see `codes`.
    """

    codes: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.register_buffer("codes", codes(num_classes))

    def forward(self, units: Float[Tensor, "b units"]) -> Float[Tensor, "b classes"]:
        """Logits, at most 0."""
        return -(units[:, None] - self.codes).square().sum(dim=2)

    def multiply_adds(self, output: Tensor) -> int:
        """One for each unit and class."""
        return output.numel() * UNITS


class LeNet5(Network):
    """The network; its logits are not learnt by a layer of their own."""

    loss = "maximum_a_posteriori"

    @property
    def output_layers(self) -> tuple[str, ...]:
        """None: the codes are fixed, so that those of other classes cannot be learnt in their place."""
        return ()


def lenet5_1998(spec: ModelSpec) -> Network:
    """C1, S2, C3 and S4 as stages; C5, F6 and the distances as head."""
    table = connections()
    # One row or column more than 32, where the side is odd, is lost again in the first sub-sampling.
    vertical, horizontal = (max(0, -(-(PAPER_SIDE - side) // 2)) for side in spec.preprocess.size)
    c1 = nn.Sequential()
    c1.add_module("border", nn.ConstantPad2d((horizontal, horizontal, vertical, vertical), BACKGROUND))
    c1.add_module("conv", nn.Conv2d(spec.in_channels, 6, 5))
    c1.add_module("activation", ScaledTanh())
    s2 = nn.Sequential()
    s2.add_module("sum", Subsampling(6))
    s2.add_module("activation", ScaledTanh())
    c3 = nn.Sequential()
    c3.add_module("conv", TableConvolution(table, 6, 5))
    c3.add_module("activation", ScaledTanh())
    s4 = nn.Sequential()
    s4.add_module("sum", Subsampling(len(table)))
    s4.add_module("activation", ScaledTanh())
    points = 1
    for side in spec.preprocess.size:
        points *= (max(side, PAPER_SIDE) - 12) // 4
    head = nn.Sequential()
    head.add_module("flatten", nn.Flatten())
    head.add_module("c5", nn.Linear(len(table) * points, 120))
    head.add_module("activation5", ScaledTanh())
    head.add_module("f6", nn.Linear(120, UNITS))
    head.add_module("activation6", ScaledTanh())
    head.add_module("output", CodeDistance(spec.num_classes))
    stages = {"c1": c1, "s2": s2, "c3": c3, "s4": s4}
    network = LeNet5(stages, head, channels=(6, 6, 16, 16), preprocess=spec.preprocess, num_classes=spec.num_classes)
    initialise_for_scaled_tanh(network)
    return network


MODELS.add_named(
    Entry(
        name="lenet5_1998",
        build=lenet5_1998,
        year=1998,
        paper="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-Based Learning Applied to Document Recognition, 1998, "
        "https://doi.org/10.1109/5.726791",
        preprocess=Preprocess((28, 28), (28, 28), channels=1, mean=(BACKGROUND / (BACKGROUND - INK),), std=(1 / (INK - BACKGROUND),)),
        parameters=60_000,
        accuracy="0.95 % test error on MNIST, 0.8 % with distorted training images (figure 9)",
        min_size=4,
        channels=(1, 3, 4),
        classes=10,
        traits=frozenset({"gradient", "stages"}),
    ),
)
