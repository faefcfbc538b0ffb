"""What a person should know before believing the metrics of networks that answer together, or in several views."""

from jaxtyping import Int64
from torch import Tensor

from neocog.data.splits import recorded_digests
from neocog.evaluation.ensemble import Ensemble
from neocog.evaluation.material import Material
from neocog.evaluation.views import chosen
from neocog.run.folder import SPLITS

__all__ = ["caveats"]


def caveats(ensemble: Ensemble, material: Material, rows: Int64[Tensor, "n"]) -> tuple[str, ...]:
    """Say which networks beside the first learnt from the pictures, and whether mirror images mean something else.

    Trainings of one dataset with unequal seeds part it unequally: what is one's test split, others have learnt from.

    Args:
        ensemble: the networks and the views.
        material: of the dataset.
        rows: the pictures that are asked about.

    Raises:
        DataError: the record of a run's splits is damaged.
        RunError: it is missing.
    """
    asked = [material.digests[row].hex() for row in rows.tolist()]
    notes = []
    for member in ensemble.members[1:]:
        if member.trained.folder is not None:
            known = recorded_digests(member.trained.folder.require(SPLITS), ("train",))
            learnt = sum(digest in known for digest in asked)
            if learnt:
                notes.append(f"{member.name} was trained on {learnt:,} of the {len(asked):,} pictures: its answers flatter")
    if not material.dataset.mirrored and any(view.mirrors for view in chosen(ensemble.views)):
        notes.append(f"mirror images of {material.dataset.name} may mean something else")
    return tuple(notes)
