"""What the program keeps for itself: remembered plans and decoded pictures. Damage there must cost time only."""

import json
import random as numbers
from pathlib import Path

from campaign.case import Case, Reader, Wrong
from campaign.mutations import mutated
from campaign.readers.folders import photos
from campaign.trees import write_tree
from campaign.values import json_text

__all__ = ["READERS"]

KEY = "0123456789abcdef"


def _write_plan(case: Case) -> None:
    from neocog.engine.plan import default_plan

    random = case.random
    place = case.own / "cache" / "plans" / f"{KEY}.json"
    place.parent.mkdir(parents=True)
    plan = default_plan().to_dict()
    if random.random() < 0.03:
        place.mkdir()
    else:
        place.write_bytes(json_text(plan, random) if random.random() < 0.6 else mutated(json.dumps(plan, indent=2).encode(), random))


def _read_plan(case: Case) -> None:
    from neocog.engine.probe import remembered_plan

    try:
        plan = remembered_plan(KEY)
    except Exception as error:
        raise Wrong("a damaged memory is an error") from error
    if plan is not None:
        plan.describe()
        if plan.threads > 4096:
            raise Wrong(f"{plan.threads} threads")


def _write_pictures(case: Case) -> None:
    write_tree(case.given / "photos", photos(case.random))


def _read_pictures(case: Case) -> None:
    """The same pictures come out, whatever happened to the files of the cache."""
    import torch

    from neocog.data.open import open_dataset
    from neocog.data.pixels import gather

    dataset = open_dataset(case.given / "photos")
    first = gather(dataset, canvas=(6, 7), channels=3, keep="disk")
    expected = first.pixels.clone(), first.sizes.clone(), list(first.digests), list(first.faults), list(first.notes)
    files = sorted((case.own / "cache" / "pixels").iterdir())
    if len(files) != 3:
        raise Wrong(f"{files} in the cache")
    _damage(case.random.choice(files), case.random)
    try:
        again = gather(open_dataset(case.given / "photos"), canvas=(6, 7), channels=3, keep="disk")
    except Exception as error:
        raise Wrong("a damaged cache is an error") from error
    same = torch.equal(again.pixels, expected[0]) and torch.equal(again.sizes, expected[1])
    if not (same and (again.digests, again.faults, again.notes) == expected[2:]):
        raise Wrong("a damaged cache gave other pictures")


def _damage(path: Path, random: numbers.Random) -> None:
    from campaign.readers.weights import SAFETENSORS

    if random.random() < 0.05:
        path.unlink()
        return
    content = path.read_bytes()
    path.unlink()  # a page of the old file may still be mapped
    path.write_bytes(mutated(content, random, SAFETENSORS if path.suffix == ".safetensors" else ()))


READERS = (Reader("remembered plan", _write_plan, _read_plan), Reader("pixel cache", _write_pictures, _read_pictures))
