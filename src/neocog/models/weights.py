"""Weights of a file into a network: keys mapped, first layer and head adapted, and a report of what was done."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neocog.errors import WeightsError
from neocog.models.class_names import imagenet_ids, match_class_names
from neocog.models.entry import MODELS, Entry, adapt_preprocess, same_key
from neocog.models.imagenet import imagenet_classes
from neocog.models.network import Network
from neocog.models.state import StateFile, read_state

__all__ = ["WeightsReport", "adapt_input", "load_weights", "outputs_of"]

LEAST_SHARED = 0.8
"""Of the keys that network and file have together, apart from the last layer's: how many both must have.

A file that goes with the network shares all of them, or all but an auxiliary head's; resnet34's shares 0.56
with resnet18.
"""

COUNTER = "num_batches_tracked"  # of batch norms; nothing depends on it, and old files have none


@dataclass(frozen=True)
class WeightsReport:
    """What loading a file did.

    Attributes:
        path: of the file.
        digest: SHA-256 of the file, in hexadecimal.
        missing: keys of the network that the file does not have; they keep their initial values.
        unexpected: keys of the file, in its own spelling, that the network does not have.
        adapted_first_layer: channels of the file's and of the network's first layer, where they differ.
        replaced_head: whether the last layer's rows are not simply the file's.
        matched_classes: the classes whose rows of the file's last layer are used again, where it was replaced.
        class_names: of the network's outputs, where they are known.
    """

    path: Path
    digest: str
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    adapted_first_layer: tuple[int, int] | None = None
    replaced_head: bool = False
    matched_classes: tuple[str, ...] = ()
    class_names: tuple[str, ...] | None = None

    def lines(self) -> list[str]:
        """The report for people, one fact a line; no line when everything fitted."""
        lines = []
        if self.missing:
            lines.append(f"missing from {self.path.name}: {_listed(self.missing)}")
        if self.unexpected:
            lines.append(f"not used of {self.path.name}: {_listed(self.unexpected)}")
        if self.adapted_first_layer:
            lines.append("first layer adapted from {} to {} channels".format(*self.adapted_first_layer))
        if self.replaced_head:
            matched = (
                f"; rows used again for {len(self.matched_classes)} classes: {_listed(self.matched_classes)}"
                if self.matched_classes
                else ""
            )
            lines.append(f"last layer new{matched}")
        return lines


def load_weights(model: Network, source: Path | str | StateFile, entry: Entry, class_names: Sequence[str] | None = None) -> WeightsReport:
    """Load a file of weights into a network.

    The first convolution is adapted where the number of channels differs (`adapt_input`). The last layer is
    replaced where the number of classes differs, or where both sides name their classes and do not agree:
    its rows are then the file's where a class matches (`match_class_names`), and keep their initial values
    elsewhere. 1000 outputs without names are ImageNet's.

    A file of the architecture that the stages are taken from, as ImageNet's for a U-Net's encoder, is loaded into them alone;
    so is one of a part of the network that is learnt before the rest, as a front end without its context.

    The network's mean and standard deviation become the file's where it has any; its image size stays.

    Args:
        model: changed in place.
        source: a path, or what `read_state` gave.
        entry: of the network's architecture; its `key_map` is used when the file's keys are foreign.
        class_names: names, or WordNet identifiers, of the network's classes.

    Raises:
        WeightsError: the file cannot be read, is of another architecture, or has tensors of other shapes.
    """
    state = source if isinstance(source, StateFile) else read_state(source)
    own = model.state_dict()
    spelling = _spelling(state, own, entry)
    tensors = {ours: state.tensors[key] for ours, key in spelling.items()}
    of_part = _of_a_part(model, state, entry)
    if of_part is not None:
        spelling, tensors = of_part, {ours: state.tensors[key] for ours, key in of_part.items()}
    else:
        _check_architecture(model, tensors, entry, state)
    adapted = _fit_input(model, tensors)
    file_names, matched = _fit_output(model, tensors, state, class_names)
    _check_shapes(own, tensors, entry, state)
    missing = tuple(sorted(key for key in own if key not in tensors and not key.endswith(COUNTER)))
    unexpected = tuple(sorted(spelling[key] for key in tensors if key not in own))
    model.load_state_dict({key: tensor for key, tensor in tensors.items() if key in own}, strict=False)
    if state.preprocess is not None:
        model.preprocess = adapt_preprocess(state.preprocess, model.preprocess.channels, model.preprocess.size)
    kept_names = None if matched is not None else file_names
    return WeightsReport(
        path=state.path,
        digest=state.digest,
        missing=missing,
        unexpected=unexpected,
        adapted_first_layer=adapted,
        replaced_head=matched is not None,
        matched_classes=tuple(matched or ()),
        class_names=tuple(class_names) if class_names else kept_names,
    )


def adapt_input(weight: Float[Tensor, "out old h w"], channels: int) -> Float[Tensor, "out new h w"]:
    """A first convolution's kernels for another number of channels.

    To one channel: the sum over the old ones, which is what a grey picture repeated in every channel would
    get. To more: the mean of the old kernels for each new channel; to fewer: the first ones. Both are scaled
    by old/new, so that activations keep their size where the channels are alike.
    """
    old = weight.shape[1]
    if channels == 1:
        return weight.sum(dim=1, keepdim=True)
    extra = weight.mean(dim=1, keepdim=True).expand(-1, max(channels - old, 0), -1, -1)
    return torch.cat([weight[:, :channels], extra], dim=1) * (old / channels)


def outputs_of(state: StateFile, model: Network, entry: Entry) -> int | None:
    """How many classes a file tells apart, by its last layer, or by their names where no layer learns the logits; None when nothing says.

    The model may be on the meta device.
    """
    if not model.output_layers:
        return len(state.class_names) if state.class_names else None
    own, name = model.state_dict(), f"{model.output_layers[0]}.weight"
    weight = state.tensors.get(_spelling(state, own, entry).get(name, ""))
    return None if weight is None or weight.shape[1:] != own[name].shape[1:] else len(weight)


def _spelling(state: StateFile, own: Mapping[str, Tensor], entry: Entry, renamed: Callable[[str], str] = same_key) -> dict[str, str]:
    """The file's key for each of ours. Whether the file's are foreign shows in how many the network knows.

    Args:
        state: the file.
        own: the network's tensors by key.
        entry: of the architecture that the file may be of.
        renamed: turns that architecture's key into the network's.
    """
    plain = {renamed(key): key for key in state.tensors}
    mapped = {renamed(entry.key_map(key)): key for key in state.tensors}
    return mapped if sum(key in own for key in mapped) > sum(key in own for key in plain) else plain


def _of_a_part(model: Network, state: StateFile, entry: Entry) -> dict[str, str] | None:
    """The file's key for each of ours, where it has a whole part of the network that may be learnt alone, and no more of the network."""
    own = model.state_dict()
    parts: list[tuple[tuple[str, ...], Entry, Callable[[str], str]]] = []
    if model.backbone:
        parts.append((("stages.",), MODELS[model.backbone], model.backbone_key or same_key))
    if model.learnt_before:
        parts.append((model.learnt_before, entry, same_key))
    for starts, source, renamed in parts:
        part = {key: tensor for key, tensor in own.items() if key.startswith(starts)}
        spelling = _spelling(state, part, source, renamed)
        lacking = [key for key in part if key not in spelling and not key.endswith(COUNTER)]
        more = [key for key in own if key not in part and (key in spelling or key in state.tensors)]
        if not lacking and not more:
            return spelling
    return None


def _check_architecture(model: Network, tensors: Mapping[str, Tensor], entry: Entry, state: StateFile) -> None:
    last = tuple(f"{name}." for name in model.output_layers)

    def body(keys: Mapping[str, Tensor]) -> set[str]:
        return {key for key in keys if not key.startswith(last) and not key.endswith(COUNTER)}

    ours, theirs = body(model.state_dict()), body(tensors)
    if len(ours & theirs) < LEAST_SHARED * len(ours | theirs):
        whose = f"weights of {state.model}" if state.model and state.model != entry.name else "another architecture's weights"
        raise WeightsError(
            f"weights of {entry.name}",
            f"{state.path}, {whose} ({len(ours & theirs)} of {len(ours | theirs)} keys are shared)",
            "name the file's architecture, or give another file",
        )


def _fit_input(model: Network, tensors: dict[str, Tensor]) -> tuple[int, int] | None:
    name = model.input_layer
    if name is None:
        return None
    layer, weight = model.get_submodule(name), tensors.get(f"{name}.weight")
    if weight is None or not isinstance(layer, nn.Conv2d) or weight.ndim != layer.weight.ndim:
        return None
    old, new = weight.shape[1], layer.weight.shape[1]
    if old == new or layer.groups != 1:
        return None
    tensors[f"{name}.weight"] = adapt_input(weight.to(torch.float32), new)
    return old, new


def _fit_output(
    model: Network, tensors: dict[str, Tensor], state: StateFile, class_names: Sequence[str] | None
) -> tuple[tuple[str, ...] | None, list[str] | None]:
    """Replace the last layer's rows where they are not this network's; the file's names, and the names that matched."""
    weight = tensors.get(f"{model.output_layers[0]}.weight") if model.output_layers else None
    if weight is None or not weight.ndim:
        return None, None
    names = state.class_names
    if names is None and len(weight) == len(imagenet_classes()):
        names = tuple(item.name for item in imagenet_classes())
    rows = {}
    if class_names and names:
        matches = enumerate(match_class_names(class_names, (), names, imagenet_ids(names)))
        rows = {row: old for row, old in matches if old is not None}
    agrees = not (class_names and names) or rows == {index: index for index in range(len(weight))}
    if len(weight) == model.num_classes and agrees:
        return names, None
    for name in model.output_layers:
        _replace_rows(model.get_submodule(name), name, tensors, rows)
    return names, [(class_names or ())[row] for row in rows]


def _replace_rows(layer: nn.Module, name: str, tensors: dict[str, Tensor], rows: Mapping[int, int]) -> None:
    """Initial weights for a last layer, but for the rows whose class the file has."""
    for part, initial in layer.state_dict().items():
        key = f"{name}.{part}"
        if key in tensors and tensors[key].ndim == initial.ndim and tensors[key].shape[1:] == initial.shape[1:]:
            if len(tensors[key]) <= max(rows.values(), default=-1):
                continue  # of another shape than the other part: that is refused when all shapes are checked
            replaced = initial.clone()
            for row, old in rows.items():
                replaced[row] = tensors[key][old]
            tensors[key] = replaced


def _check_shapes(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor], entry: Entry, state: StateFile) -> None:
    wrong = [
        f"{key} {tuple(tensor.shape)} instead of {tuple(own[key].shape)}"
        for key, tensor in tensors.items()
        if key in own and tensor.shape != own[key].shape
    ]
    if wrong:
        raise WeightsError(
            f"tensors of this {entry.name}'s shapes",
            f"{state.path} with {_listed(wrong)}",
            "give the options and the image size that the file was trained with, or another file",
        )


def _listed(items: Sequence[str], most: int = 3) -> str:
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
