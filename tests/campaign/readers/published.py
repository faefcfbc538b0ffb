"""Datasets in the files that their publishers made: idx, and CIFAR's pickles."""

import gzip
import pickle
import struct
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

from campaign.case import Case, Reader
from campaign.mutations import Mutation, mutated
from campaign.readers.asking import ask
from campaign.trees import write_tree

__all__ = ["READERS", "Trap"]

IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
BATCHES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")


@cache
def _idx_files() -> tuple[bytes, ...]:
    def idx(shape: tuple[int, ...], numbers: bytes) -> bytes:
        return struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape) + numbers

    random = Random(0)
    counts = (40, 20)
    files = [(idx((count, 6, 5), random.randbytes(count * 30)), idx((count,), bytes(n % 10 for n in range(count)))) for count in counts]
    return tuple(file for pair in files for file in pair)


def _idx_shape(data: bytes, random: Random) -> bytes:
    """Another length of an axis, another count of axes, or one that fits the numbers."""
    deed = random.randrange(4)
    if deed == 0:
        place = 4 * random.randrange(1, 4)
        return data[:place] + struct.pack(">I", random.choice((0, 1, 5, 6, 30, 1 << 16, 1 << 28, (1 << 32) - 1))) + data[place + 4 :]
    if deed == 1:
        return data[:2] + bytes((random.choice((8, 9, 0x0B, 0x0D)), random.choice((0, 1, 3, 4, 255)))) + data[4:]
    if deed == 2:
        return struct.pack(">BBBBIII", 0, 0, 8, 3, *random.choice(((0, 6, 5), (0, 0, 0), (40, 0, 5), (20, 6, 0), (40, 0, 0))))
    return struct.pack(">BBBBI", 0, 0, 8, 1, 0)


def _packed_endlessly(data: bytes, random: Random) -> bytes:
    """Few bytes that unpack to many."""
    return gzip.compress(data + bytes(random.choice((1, 30_000_000))))


def _write_idx(case: Case) -> None:
    random = case.random
    files = list(_idx_files())
    for place in random.sample(range(4), random.choice((1, 1, 2, 4))):
        files[place] = mutated(files[place], random, (_idx_shape, _idx_shape, _packed_endlessly))
    if random.random() < 0.05:
        random.shuffle(files)
    tree = {}
    for name, data in zip(IDX, files, strict=True):
        packed = random.random() < 0.3
        data = gzip.compress(data) if packed else data
        tree[f"MNIST/raw/{name}{'.gz' if packed else ''}"] = mutated(data, random) if packed and random.random() < 0.5 else data
    write_tree(case.given, tree)


def _read_named(name: str) -> Callable[[Case], None]:
    def read(case: Case) -> None:
        from neocog.data.open import open_dataset

        ask(open_dataset(name), case)

    return read


class Trap:
    """Pickles to a call that makes a folder among the person's files: a reader that runs it is found out.

    Args:
        path: of the folder.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.mkdir, (self.path,)


def _batch(random: Random, count: int = 4) -> dict[Any, Any]:
    import numpy as np

    data = np.frombuffer(random.randbytes(count * 3072), dtype=np.uint8).reshape(count, 3072)
    names = [f"picture_{random.randrange(10**9)}.png" for _ in range(300)]  # enough for the pickle's long references
    return {"data": data, "labels": random.sample(range(count), count), "filenames": names, "batch_label": "batch"}


def _odd_batch(case: Case) -> bytes:
    """A well-formed pickle of something else."""
    import numpy as np

    random = case.random
    batch = _batch(random)
    odd: tuple[tuple[Any, Any], ...] = (
        ("data", batch["data"].astype(np.float64)),
        ("data", batch["data"].astype(np.int8)),
        ("data", np.array([["x"]], dtype=object)),
        ("data", batch["data"][:, :100].copy()),
        ("data", batch["data"].tobytes()),
        ("data", np.asfortranarray(batch["data"])),
        ("data", batch["data"].reshape(-1)),
        ("data", batch["data"][:0]),
        ("labels", []),
        ("labels", [0, 1, 2, -1]),
        ("labels", [0, 1, 2, 10**30]),
        ("labels", [True, False, True, False]),
        ("labels", ["0", "1", "2", "3"]),
        ("labels", np.arange(4)),
        ("labels", None),
        (b"labels", [1, 2, 3, 4]),
        (3, Trap(str(case.given / "trapped"))),
        ("filenames", Trap(str(case.given / "trapped"))),
    )
    key, value = random.choice(odd)
    content = random.choice((batch | {key: value}, batch | {key: value}, batch | {key: value}, value, [batch], {}))
    return pickle.dumps(content, protocol=random.randrange(6))


def _reference(data: bytes, random: Random) -> bytes:
    """A reference of the pickle to a place far beyond all others."""
    place = random.randrange(len(data) + 1)  # nothing may be left of the file by now
    return (
        data[:place]
        + random.choice((b"r", b"j", b"p9999999999\n", b"\x8a\xff", b"\x8d", b"\x96", b"B"))
        + b"\xff\xff\xff\x7f"
        + data[place + 5 :]
    )


def _far_reference(data: bytes, random: Random) -> bytes:
    """A high byte of a reference that is there."""
    place = data.find(b"r", random.randrange(len(data) + 1))
    return data if place < 0 else data[: place + 4] + bytes([random.choice((1, 64, 127, 255))]) + data[place + 5 :]


CIFAR: tuple[Mutation, ...] = (_reference, _far_reference)


def _write_cifar(case: Case) -> None:
    random = case.random
    tree = {name: pickle.dumps(_batch(Random(name)), protocol=2) for name in BATCHES}
    tree["batches.meta"] = pickle.dumps({"label_names": [f"class {n}" for n in range(4)], "num_vis": 3072}, protocol=2)
    name = random.choice(sorted(tree))
    tree[name] = _odd_batch(case) if random.random() < 0.3 else mutated(tree[name], random, CIFAR)
    write_tree(case.given, {f"cifar-10-batches-py/{name}": data for name, data in tree.items()})


READERS = (Reader("idx", _write_idx, _read_named("mnist")), Reader("cifar", _write_cifar, _read_named("cifar10")))
