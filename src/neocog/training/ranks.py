"""The processes that torchrun starts train one network together: who this one is, and what they say to one another.

    torchrun --nproc-per-node 2 -m neocog train DATA --out RUN

The first process, of rank 0, leads: it alone chooses, writes and speaks. All have the same network and optimizer;
each computes the gradient of its share of a step's pictures, and the sum moves all of them alike. Words and numbers
go over gloo, gradients on accelerators over nccl. One process alone touches nothing of this.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch
from jaxtyping import Int64
from torch import Tensor, nn

from neocog.errors import DataError, DivergedError, Interrupted, NeocogError, SurroundingsError
from neocog.machine import launched_as

__all__ = ["ALONE", "Ranks", "is_lost", "lost", "open_ranks"]

T = TypeVar("T")

PATIENCE = timedelta(days=1)  # the others wait while the lead probes, validates and writes; a dead process is noticed at once
BUCKET = 1 << 23  # numbers of a gradient that travel together
SIGNS = ("closed by peer", "reset by peer", "broken pipe", "gloo/transport", "connection refused", "remote process exited", "nccl")
"""What gloo and nccl say when another process is gone."""


@dataclass(frozen=True)
class Ranks:
    """The place of this process among those that train together.

    Attributes:
        rank: of this process, from 0.
        world: how many there are.
    """

    rank: int = 0
    world: int = 1

    @property
    def lead(self) -> bool:
        """Whether this process chooses, writes and speaks."""
        return self.rank == 0

    def resuming(self, run: Path) -> str:
        """The command that goes on with a run in as many processes."""
        start = f"torchrun --nproc-per-node {self.world} -m " if self.world > 1 else ""
        return f"{start}neocog resume {run}"

    def parts(self, rows: Int64[Tensor, "n"], at_once: int) -> list[Int64[Tensor, "_"]]:
        """This process's share of some pictures, in parts that pass through the network one after another.

        All processes have as many parts, and none is empty where there are as many pictures as processes.

        Args:
            rows: of all processes.
            at_once: most pictures of a part; with several processes a part of 1 may have 2, so that none is empty.
        """
        if self.world == 1:
            return list(rows.split(at_once))
        count = min(-(-len(rows) // (at_once * self.world)), len(rows) // self.world)
        return [part.tensor_split(self.world)[self.rank] for part in rows.tensor_split(count)] if count else []

    def led(self, work: Callable[[], T]) -> T:
        """What comes of work that the lead alone does.

        Raises:
            NeocogError: the work's, in the lead.
            SystemExit: the same in the others, with the error's exit code: it is the lead's to tell.
        """
        if self.world == 1:
            return work()
        if not self.lead:
            answer, code = self._told(None)
            if code:
                raise SystemExit(code)
            return answer  # type: ignore[no-any-return]
        try:
            answer = work()
        except NeocogError as error:
            with contextlib.suppress(RuntimeError):  # a process that does not hear it any more is the smaller trouble
                self._told((None, error.exit_code))
            raise
        self._told((answer, 0))
        return answer

    def agree(self, wish: bool) -> bool:
        """Whether any process wishes something; the same answer in all of them."""
        return wish if self.world == 1 else self.add_up([float(wish)])[0] > 0

    def add_up(self, numbers: Sequence[float]) -> list[float]:
        """The sums of the processes' numbers."""
        if self.world == 1:
            return list(numbers)
        from torch import distributed

        sums = torch.tensor(numbers, dtype=torch.float64)
        distributed.all_reduce(sums)
        return sums.tolist()

    def add_up_gradients(self, model: nn.Module) -> None:
        """Put the sums of the processes' gradients in the place of each one's own."""
        if self.world == 1:
            return
        from torch import distributed

        gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
        for bucket in _buckets(gradients):
            flat = torch.cat([gradient.reshape(-1) for gradient in bucket])
            distributed.all_reduce(flat)
            for gradient, summed in zip(bucket, flat.split([gradient.numel() for gradient in bucket]), strict=True):
                gradient.copy_(summed.view_as(gradient))

    def share_state(self, model: nn.Module) -> None:
        """Give every process the lead's weights and buffers: another processor may draw or measure other last bits."""
        if self.world == 1:
            return
        from torch import distributed

        with torch.no_grad():
            for tensor in filter(torch.numel, model.state_dict().values()):
                data = tensor.contiguous().reshape(-1).view(torch.uint8)
                distributed.broadcast(data, 0)
                tensor.copy_(data.view(tensor.dtype).view_as(tensor))

    def require_same(self, value: str, what: str) -> None:
        """Check that all processes have what the lead has.

        Raises:
            DataError: this one has something else.
        """
        if self.led(lambda: value) != value:
            raise DataError(f"the same {what} in every process", f"other ones in process {self.rank}", "give every machine the same files")

    def _told(self, word: Any) -> Any:
        """The lead's word."""
        from torch import distributed

        words = [word]
        distributed.broadcast_object_list(words, 0, device=torch.device("cpu"))
        return words[0]


ALONE = Ranks()


@contextlib.contextmanager
def open_ranks() -> Iterator[Ranks]:
    """Join the processes that torchrun started together with this one, for as long as the block lasts.

    That a training was interrupted or diverged is the lead's to tell: the others end by SystemExit with the same exit
    code. After an error SIGTERM, by which torchrun ends what is left, no longer keeps a process from its last words.

    Raises:
        SurroundingsError: the processes cannot be joined, or one of them was lost.
    """
    rank, world = launched_as()
    if world == 1:
        yield ALONE
        return
    from torch import distributed

    ranks, joined = Ranks(rank, world), distributed.is_initialized()
    if not joined:
        _join(ranks)
    try:
        yield ranks
    except (NeocogError, RuntimeError) as error:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if isinstance(error, RuntimeError) and is_lost(error):
            raise lost("give the command again") from error
        if isinstance(error, Interrupted | DivergedError) and not ranks.lead:
            raise SystemExit(error.exit_code) from error
        raise
    if not joined:
        distributed.destroy_process_group()


def is_lost(error: BaseException) -> bool:
    """Whether an error says that another process is gone."""
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in SIGNS)


def lost(remedy: str) -> SurroundingsError:
    """The error when another process is gone.

    Args:
        remedy: what the person can do.
    """
    return SurroundingsError("all processes of the training to last until its end", "one of them has ended; torchrun says which", remedy)


def _join(ranks: Ranks) -> None:
    from torch import distributed

    backend = "gloo"
    if torch.cuda.is_available():
        backend, local = "cpu:gloo,cuda:nccl", int(os.environ.get("LOCAL_RANK", "0"))
        if local >= torch.cuda.device_count():
            found = f"{torch.cuda.device_count()} for at least {local + 1} processes"
            raise SurroundingsError("an accelerator for each process", found, "start as many processes as there are accelerators")
        torch.cuda.set_device(local)
    distributed.init_process_group(backend, timeout=PATIENCE, rank=ranks.rank, world_size=ranks.world)


def _buckets(gradients: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Neighbouring gradients of one kind of number, as many as travel together."""
    bucket: list[Tensor] = []
    for gradient in gradients:
        if bucket and (sum(each.numel() for each in bucket) + gradient.numel() > BUCKET or gradient.dtype != bucket[0].dtype):
            yield bucket
            bucket = []
        bucket.append(gradient)
    if bucket:
        yield bucket
