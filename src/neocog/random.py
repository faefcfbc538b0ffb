"""Every random draw of a training, as a pure function of numbers.

No generator is carried from step to step: whoever knows (seed, purpose, epoch, key) can draw the same
numbers again. That is what makes a resumed training equal to one that was never interrupted.
"""

import hashlib

import torch
from jaxtyping import Float, Int64
from torch import Tensor

__all__ = ["generator", "reseed", "seed_of", "uniform"]

# Odd constants of SplitMix64 (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", 2014),
# as signed 64-bit numbers because torch has no unsigned multiplication.
GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
MIX_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
MIX_2 = 0x94D049BB133111EB - (1 << 64)


def seed_of(seed: int, purpose: str, *numbers: int) -> int:
    """A 63-bit seed that depends on all its arguments; equal arguments give equal seeds on every machine."""
    text = "/".join([str(seed), purpose, *map(str, numbers)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def generator(seed: int, purpose: str, epoch: int, *key: int, device: str | torch.device = "cpu") -> torch.Generator:
    """A fresh generator for draws whose number is not known beforehand: order of the data, initial weights.

    Args:
        seed: the recipe's seed.
        purpose: what is drawn, so that two uses never share a stream ("order", "weights").
        epoch: counted from 0.
        key: further numbers that tell this draw from others of the same purpose.
        device: where the generator lives.
    """
    return torch.Generator(device=device).manual_seed(seed_of(seed, purpose, epoch, *key))


def uniform(seed: int, purpose: str, epoch: int, keys: Int64[Tensor, "n"], draws: int) -> Float[Tensor, "n draws"]:
    """Independent uniform draws in [0, 1), each row a function of its key alone.

    Counter-based: the row of a key is the same whatever else is in the batch, so an augmentation does not
    depend on the batch size or on the order of the pictures in it.

    Args:
        keys: one integer per row, as a sample's index in its dataset.
        draws: how many numbers each row gets.

    Returns:
        float32, with 24 random bits each, on the device of `keys`.
    """
    base = torch.tensor(seed_of(seed, purpose, epoch), dtype=torch.int64, device=keys.device)
    rows = _mix(keys * MIX_1 + base)
    counters = torch.arange(1, draws + 1, dtype=torch.int64, device=keys.device) * GOLDEN
    bits = _mix(rows[:, None] + counters[None, :])
    return _shift(bits, 40).to(torch.float32) * 2.0**-24


def reseed(seed: int, step: int, rank: int = 0) -> None:
    """Seed torch's global generators for one training step: what dropout and the like draw from."""
    torch.manual_seed(seed_of(seed, "step", step, rank))


def _shift(bits: Tensor, count: int) -> Tensor:
    """Logical right shift: torch's >> copies the sign bit."""
    return (bits >> count) & ((1 << (64 - count)) - 1)


def _mix(bits: Tensor) -> Tensor:
    """The finaliser of SplitMix64."""
    bits = (bits ^ _shift(bits, 30)) * MIX_1
    bits = (bits ^ _shift(bits, 27)) * MIX_2
    return bits ^ _shift(bits, 31)
