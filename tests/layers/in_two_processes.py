"""One of two processes that normalise their shares of the maps together: its rank, and the folder with the questions, are the arguments."""

import sys
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed

from neocog.layers import synchronise_batch_norms


def main() -> None:
    rank, folder = int(sys.argv[1]), Path(sys.argv[2])
    store = f"file://{folder / 'store'}"
    distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=2, timeout=timedelta(seconds=60))
    answers = []
    for network, shares, pulls in torch.load(folder / "questions.pt", weights_only=False):
        synchronise_batch_norms(network)
        answers.append(answer(network, shares[rank], pulls[rank]))
    torch.save(answers, folder / f"answers-{rank}.pt")
    distributed.destroy_process_group()


def answer(network: torch.nn.Module, maps: torch.Tensor, pull: torch.Tensor) -> dict[str, object]:
    """Outputs, gradients of their product with `pull`, and the statistics that were kept."""
    maps = maps.clone(memory_format=torch.preserve_format).requires_grad_()
    outputs = network(maps)
    (outputs * pull).sum().backward()
    return {
        "outputs": outputs.detach(),
        "of maps": maps.grad,
        "of weights": {name: parameter.grad for name, parameter in network.named_parameters()},
        "buffers": dict(network.named_buffers()),
        "evaluated": network.eval()(maps).detach(),
    }


if __name__ == "__main__":
    main()
