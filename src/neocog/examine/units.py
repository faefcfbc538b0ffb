"""What the methods that look at units share: the pictures of a dataset passing by, a layer's answers to them, its reach."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neocog.augment import place
from neocog.batch import Batch
from neocog.engine import Plan, forward, obeying
from neocog.errors import UsageError
from neocog.evaluation.answers import taken_at_once, window
from neocog.examine.member import Asked
from neocog.explain.backward_rules import captured
from neocog.images import Picture
from neocog.layers import Reach
from neocog.models.layer_rows import reaches_of
from neocog.models.network import Network
from neocog.models.state import as_bytes
from neocog.progress import Progress
from neocog.run import Trained

__all__ = [
    "as_picture",
    "batches",
    "chosen_units",
    "evenly",
    "exact",
    "image_shape",
    "images_of",
    "maps_of",
    "on_what",
    "reach_of",
    "short",
    "weights_digest",
]


def exact(plan: Plan) -> Plan:
    """The same plan in float32."""
    return replace(plan, precision="float32")


def image_shape(trained: Trained) -> tuple[int, int, int]:
    """Channels, height and width of the network's images."""
    return trained.preprocess.channels, *trained.preprocess.size


def as_picture(image: Float[Tensor, "c h w"]) -> Picture:
    """An image in [0, 1] as it is drawn: grey, or its first three channels."""
    shown = image[:3] if len(image) >= 3 else image[:1]
    return (shown.detach().cpu() * 255).round().clamp(0, 255).to(torch.uint8)


def batches(trained: Trained, asked: Asked, rows: Int64[Tensor, "n"], progress: Progress | None = None) -> Iterator[Batch]:
    """Pictures of a dataset at the network's input, on the plan's device, in the order of their indices here.

    Args:
        trained: the network.
        asked: the dataset.
        rows: indices of the pictures.
        progress: told of every batch.
    """
    fit, size = window(trained.task.fit(training=False)), trained.preprocess.size
    for some in rows.split(taken_at_once(trained.task, size)):
        yield place(asked.material.loader.batch(some), fit, size).to(trained.plan.device)
        if progress is not None:
            progress.advance(len(some))


def images_of(trained: Trained, asked: Asked, keys: Sequence[int]) -> dict[int, Float[Tensor, "c h w"]]:
    """Images at the network's input in [0, 1], each by its index in the dataset."""
    wanted = torch.tensor(sorted(set(keys)), dtype=torch.int64)
    return {int(key): image for batch in batches(trained, asked, wanted) for key, image in zip(batch.keys, batch.images, strict=True)}


def maps_of(trained: Trained, images: Float[Tensor, "b c h w"], layer: str) -> Tensor:
    """A layer's answer "b units ..." to images in [0, 1], in float32; what comes after the layer is not computed."""
    plan = exact(trained.plan)
    with torch.inference_mode(), obeying(plan), captured(trained.model, layer, stop=True) as found:
        forward(trained.model, images, plan)
    if not found or not isinstance(found[0], Tensor) or found[0].ndim not in (2, 4):
        raise UsageError("a layer that gives maps or numbers", f"{short(layer)}, which does not", "choose another layer")
    return found[0]


def reach_of(trained: Trained, layer: str) -> Reach:
    """What the points of a layer see of the image by kernels and strides.

    Raises:
        UsageError: the layer takes no part in the network's own reckoning of it.
    """
    model = trained.model
    reaches = reaches_of(model, max(trained.preprocess.size))
    around = layer
    while around not in reaches and "." in around:
        around = around.rpartition(".")[0]
    if around in reaches and (around == layer or _pointwise_within(model, around, layer)):
        return reaches[around]
    remedy = "choose a stage: " + ", ".join(model.stages) if model.stages else "it has no stages"
    raise UsageError("a layer whose receptive field is known", short(layer), remedy)


def chosen_units(asked: Sequence[int], count: int, most: int) -> list[int]:
    """The units that are shown: those that were asked for, else the first ones.

    Raises:
        UsageError: one that there is not.
    """
    for unit in asked:
        if unit >= count:
            raise UsageError(f"units from 0 to {count - 1}, which the layer has", str(unit), "choose among these")
    return list(dict.fromkeys(asked)) if asked else list(range(min(count, most)))


def evenly(rows: Int64[Tensor, "n"], most: int) -> Int64[Tensor, "m"]:
    """At most so many of the rows, at equal distances."""
    if len(rows) <= most:
        return rows
    return rows[torch.linspace(0, len(rows) - 1, most, dtype=torch.float64).round().long()]


def on_what(trained: Trained) -> str:
    """The network in a title: its name, and its run's where there is one."""
    return trained.name if trained.folder is None else f"{trained.name} ({trained.folder.path.name})"


def short(layer: str) -> str:
    """A layer's dotted name as people call it: without "stages."."""
    return layer.removeprefix("stages.")


def weights_digest(model: Network) -> str:
    """Hexadecimal digits that change with any number of the network's state."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(as_bytes(tensor))
    return digest.hexdigest()


def _pointwise_within(model: Network, around: str, layer: str) -> bool:
    """Whether a layer that takes no part in the reckoning is the last thing that a module does, point by point."""
    inside = [name for name, module in model.get_submodule(around).named_modules() if name and not list(module.children())]
    return bool(inside) and inside[-1] == layer.removeprefix(f"{around}.")
