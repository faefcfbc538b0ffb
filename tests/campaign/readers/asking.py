"""Asks a dataset for all that a training asks of it before its first step."""

import json
from typing import Any

from campaign.case import Case, Wrong

__all__ = ["ask"]


def ask(dataset: Any, case: Case) -> None:
    """Read every picture, count, part, and record the parts; what is recorded must read back."""
    import torch

    from neocog.data.check import check
    from neocog.data.pixels import gather
    from neocog.data.splits import make_splits, read_splits, require_trainable, write_splits

    if case.random.random() < 0.3:
        json.dumps(check(dataset, threads=1).to_dict())
    require_trainable(dataset)
    canvas = case.random.choice(((8, 8), dataset.typical_size)) if min(dataset.typical_size) else (8, 8)
    keep, allow_bad = case.random.choice(("auto", "auto", "disk")), case.random.random() < 0.3
    gathered = gather(dataset, canvas=canvas, channels=case.random.choice((1, 3)), allow_bad=allow_bad, keep=keep)
    splits = make_splits(dataset, gathered.digests, gathered.faults, seed=0)
    dataset.fingerprint()
    record = case.own / "splits.csv"
    write_splits(record, splits, dataset, gathered.digests)
    again = read_splits(record, dataset, gathered.digests)
    if not all(torch.equal(splits.of(name), again.of(name)) for name in ("train", "val", "test")):
        raise Wrong("the splits that were recorded are others")
    if sorted(again.set_aside) != sorted(splits.set_aside):
        raise Wrong(f"{again.set_aside} instead of {splits.set_aside}")
