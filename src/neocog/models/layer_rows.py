"""The layers of a network one by one, as an image meets them: kind, shapes, reach and work."""

import contextlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from neocog.layers import Reach, reach, recorded_reaches
from neocog.models.network import Network

__all__ = ["LayerRow", "fold", "layers_watched", "multiply_adds_of", "reaches_of", "receptive_field_of"]

FLOAT = 4  # bytes of a float32
CONTAINERS = (nn.Identity, nn.Sequential, nn.ModuleList, nn.ModuleDict)
"""What computes nothing itself, even when it is empty."""


@dataclass(frozen=True)
class LayerRow:
    """One call of a layer.

    Attributes:
        stage: in which it stands; "head" after the stages.
        name: its dotted name within the stage; empty where it is the whole stage.
        kind: what it is, in a few words.
        kernel: height and width of its window in pixels; None without one.
        stride: rows and columns from one window to the next; None without a window.
        input: shape of what it takes from one image, without the batch.
        output: shape of what it gives.
        receptive_field: the longer side of the window of the image, in pixels, that a point of the output
            depends on; None where it sees everything.
        parameters: its own, counted at its first call.
        multiply_adds: multiplications with addition, for one image; norms, activations and poolings have none.
    """

    stage: str
    name: str
    kind: str
    kernel: tuple[int, int] | None
    stride: tuple[int, int] | None
    input: tuple[int, ...]
    output: tuple[int, ...]
    receptive_field: int | None
    parameters: int
    multiply_adds: int

    @property
    def output_bytes(self) -> int:
        """Memory of its output for one image in float32."""
        return FLOAT * math.prod(self.output)

    @property
    def dense_parameters(self) -> int | None:
        """Weights, without biases, of the fully connected layer from the same inputs to the same outputs; None where it weighs nothing."""
        return math.prod(self.input) * math.prod(self.output) if self.multiply_adds else None

    @property
    def pointwise(self) -> bool:
        """Whether it changes values only: a norm, an activation, dropout."""
        return self.kernel is None and not self.multiply_adds and self.input == self.output


def fold(rows: Sequence[LayerRow]) -> list[LayerRow]:
    """One row for each layer with what is done to its output point by point; parameters are added.

    What only changes the shape, or nothing at all, is left out.
    """
    folded: list[LayerRow] = []
    for row in rows:
        if row.kind == "flatten":
            continue
        last = folded[-1] if folded else None
        if last is not None and row.pointwise and (last.stage, last.output) == (row.stage, row.input):
            kinds = f"{last.kind} + {row.kind}"
            folded[-1] = replace(last, kind=kinds, parameters=last.parameters + row.parameters)
        else:
            folded.append(row)
    return folded


def multiply_adds_of(module: nn.Module, given: Tensor, output: Tensor) -> int:
    """Multiplications with addition in one call of a layer.

    A module says so itself by a method `multiply_adds(output) -> int`.

    Args:
        module: the layer.
        given: what it took.
        output: what it gave.
    """
    tell = getattr(module, "multiply_adds", None)
    if tell is not None:
        return int(tell(output))
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        return output.numel() * module.weight[0].numel()  # each value of the output is a sum over one row of weights
    if isinstance(module, nn.ConvTranspose2d):
        return given.numel() * module.weight[0].numel()  # each value of the input is spread by one row of weights
    return 0


def reaches_of(model: Network, side: int) -> dict[str, Reach]:
    """The reach of every module that takes part in the network's own reckoning, by dotted name."""
    names = {module: name for name, module in model.named_modules()}
    with recorded_reaches() as record:
        before = Reach()
        of_stages: dict[str, Reach] = {}
        for name, stage in model.stages.items():
            before = of_stages[name] = reach(stage, before, side)
            if name in model.auxiliary:
                _reach_of_head(model.auxiliary[name], before, side)
        trace = getattr(model.head, "trace", None)
        if trace is None:
            _reach_of_head(model.head, before, side)
        elif (answer := trace(of_stages, side)) is not None:  # it sees several maps
            record[model.head] = answer
    return {names[module]: found for module, found in record.items() if module in names}


def _reach_of_head(head: nn.Module, before: Reach, side: int) -> None:
    with contextlib.suppress(TypeError):  # only stages must say how they are connected
        reach(head, before, side)


def receptive_field_of(name: str, output: Sequence[int], reaches: dict[str, Reach], side: int) -> int | None:
    """The longer side of what a point of a layer's output sees, in pixels; None where that is everything.

    A layer that does not take part in the reckoning, such as the activation after a sum, has the reach of the
    module around it, unless it gives a single point: that comes of looking at the whole map.
    """
    single = math.prod(output[1:]) == 1  # a vector, or a map of one point
    around = name
    while around not in reaches and around:
        around = around.rpartition(".")[0]
    found = reaches.get(around)
    if found is None or (single and around != name):
        return None
    everything = found.stride >= side and min(found.height, found.width) >= side
    return None if everything else max(found.height, found.width)


@contextlib.contextmanager
def layers_watched(model: Network, reaches: dict[str, Reach], side: int) -> Iterator[list[LayerRow]]:
    """While it is open, every call of a layer is added to the list."""
    rows: list[LayerRow] = []
    called: set[nn.Module] = set()

    def watch(name: str) -> Any:
        stage, _, rest = name.removeprefix("stages.").partition(".")
        if stage == "auxiliary":
            inside, _, rest = rest.partition(".")
            stage = f"auxiliary.{inside}"

        def hook(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            given, given_back = _first_tensor(inputs), _first_tensor(output)
            if given is None or given_back is None:
                return
            shape = tuple(given_back.shape[1:])
            kernel, stride = _window(module)
            own = 0 if module in called else sum(parameter.numel() for parameter in module.parameters(recurse=False))
            called.add(module)
            rows.append(
                LayerRow(
                    stage,
                    rest,
                    _kind(module),
                    kernel,
                    stride,
                    tuple(given.shape[1:]),
                    shape,
                    receptive_field_of(name, shape, reaches, side),
                    own,
                    multiply_adds_of(module, given, given_back),
                )
            )

        return hook

    handles = [module.register_forward_hook(watch(name)) for name, module in model.named_modules() if name and _is_layer(module)]
    try:
        yield rows
    finally:
        for handle in handles:
            handle.remove()


def _first_tensor(values: Any) -> Tensor | None:
    if isinstance(values, Tensor):
        return values
    items = values.values() if isinstance(values, dict) else values if isinstance(values, (tuple, list)) else ()
    return next((found for item in items if (found := _first_tensor(item)) is not None), None)


def _is_layer(module: nn.Module) -> bool:
    """Whether it computes by itself: it has no modules inside, or parameters beside them, or tells its work."""
    if isinstance(module, CONTAINERS):
        return False
    inside = next(module.children(), None)
    return inside is None or next(module.parameters(recurse=False), None) is not None or hasattr(module, "multiply_adds")


def _window(module: nn.Module) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """What it says of its window by the names that torch and this package have for it."""
    kernel = _pair(getattr(module, "kernel_size", getattr(module, "kernel", None)))
    return kernel, None if kernel is None else _pair(getattr(module, "stride", None)) or (1, 1)


def _pair(value: Any) -> tuple[int, int] | None:
    if isinstance(value, int):
        return value, value
    return (int(value[0]), int(value[1])) if isinstance(value, tuple) and len(value) == 2 else None


def _kind(module: nn.Module) -> str:
    name = type(module).__name__
    if type(module) is nn.Conv2d:
        if module.groups == 1:
            return "conv"
        return "depthwise conv" if module.groups == module.in_channels else "grouped conv"
    if type(module) is nn.ConvTranspose2d:
        return "transposed conv"
    if isinstance(module, (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)) and module.output_size in (1, (1, 1)):
        return f"global {'avg' if isinstance(module, nn.AdaptiveAvgPool2d) else 'max'} pool"
    if type(module).__module__ == "torch.nn.modules.activation":
        return name.lower()
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name.removesuffix("2d"))
    return " ".join(words).lower()
