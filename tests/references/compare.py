"""Holds one of our networks against its reference: equal weights, equal images, how far apart the answers are.

The same code serves the tests and the table of documentation, so it takes our networks as arguments and knows
nothing of the package.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

import torch
from torch import Tensor, nn

from references.reference import Reference

TOLERANCE = 1e-4  # of the largest output
COUNTER = "num_batches_tracked"


def all_references() -> dict[str, Reference]:
    """The references of every family, by the name of the architecture."""
    found: dict[str, Reference] = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        references = getattr(import_module(f"references.{path.stem}"), "REFERENCES", {})
        assert not found.keys() & references.keys()
        found |= references
    return found


def randomise(network: nn.Module, seed: int = 0) -> None:
    """Weights, biases that are not zero, and batch norms with statistics of their own, so that a mistaken key shows."""
    draws = torch.Generator().manual_seed(seed)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    with torch.no_grad():
        for norm in norms:
            norm.weight.uniform_(0.5, 1.5, generator=draws)
        for module in network.modules():
            if type(module) in (nn.Conv2d, nn.Linear):
                # Of a size that keeps the signal's: some initial weights let it fade, and with it what a mistake does.
                module.weight.normal_(0, (2 / module.weight[0].numel()) ** 0.5, generator=draws)
        for name, parameter in network.named_parameters():
            if name.endswith("bias") or not parameter.any():
                parameter.normal_(0, 0.1, generator=draws)
    if norms:
        _set_statistics(network, norms, draws)


def _set_statistics(network: nn.Module, norms: Sequence[nn.BatchNorm2d], draws: torch.Generator) -> None:
    """Near those of a batch of noise: with others, sums over many blocks grow until no single block shows in them."""
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        network.train().forward_train(torch.randn(2, network.preprocess.channels, *network.preprocess.size, generator=draws))
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            deviation = norm.running_var.sqrt()
            norm.running_mean.add_(deviation * torch.empty_like(deviation).normal_(0, 0.1, generator=draws))
            norm.running_var.mul_(torch.empty_like(deviation).uniform_(0.8, 1.25, generator=draws))


def without_chance(network: nn.Module) -> nn.Module:
    """The network with every dropout and stochastic depth off for good, whatever library they are from."""
    for module in network.modules():
        if type(module).__name__.lower().startswith(("dropout", "stochasticdepth", "droppath")):
            module.eval()
            module.train = lambda mode=True, module=module: module
    return network


def spelling(theirs: Iterable[str], key: Callable[[str], str]) -> dict[str, str]:
    """Their key for each of ours; no two of theirs may be one of ours."""
    pairs = [(key(name), name) for name in theirs]
    ours = dict(pairs)
    assert len(ours) == len(pairs), "two foreign keys are mapped to one"
    return ours


def with_the_same_weights(ours: nn.Module, reference: Reference, key: Callable[[str], str]) -> nn.Module:
    """The reference's network with our weights: every key of ours has exactly one of theirs, and the other way round."""
    theirs = reference.build()
    names = spelling(theirs.state_dict(), reference.key or key)
    state = ours.state_dict()
    lacking = {name for name in state if name not in names and not name.endswith(COUNTER)}
    assert not lacking, f"not in the reference: {sorted(lacking)[:5]}"
    theirs.load_state_dict({names[name]: tensor for name, tensor in state.items() if name in names}, strict=True)
    return theirs


def answers(
    network: nn.Module, images: Tensor, training: bool, call: Callable[[nn.Module, Tensor], Mapping[str, Tensor]]
) -> dict[str, Tensor]:
    """The outputs and, in training, what batch norms have become of it."""
    network.train(training)
    with torch.no_grad():
        found = dict(call(network, images))
    network.eval()
    return found


def difference(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> float:
    """The largest difference of any output, in shares of the largest output."""
    assert ours.keys() == theirs.keys(), f"{sorted(ours)} against {sorted(theirs)}"
    furthest = 0.0
    for name, output in ours.items():
        assert output.shape == theirs[name].shape
        assert output.isfinite().all()
        scale = max(1.0, float(theirs[name].abs().max()))
        furthest = max(furthest, float((output - theirs[name]).abs().max()) / scale)
    return furthest
