"""Top patches that were found once, kept in the run's folder for as long as nothing that they depend on has changed."""

import contextlib
import hashlib
from pathlib import Path
from typing import NamedTuple

from neocog.errors import SurroundingsError, WeightsError
from neocog.examine.member import Asked
from neocog.examine.units import weights_digest
from neocog.explain.top_patches import TopPatches
from neocog.files import make_folder
from neocog.models import read_state, write_weights
from neocog.models.state import as_bytes
from neocog.run import Trained
from neocog.run.folder import EXPLAIN

__all__ = ["PatchCache"]

TENSORS = ("values", "pictures", "rows", "columns")
MOST_KEPT = 32
"""Files; the oldest make room for a new one."""


class PatchCache(NamedTuple):
    """Where the patches of one search are kept.

    Attributes:
        path: of the file; None where there is no run to keep it in.
    """

    path: Path | None

    @classmethod
    def of(cls, trained: Trained, asked: Asked, layer: str, patches: int) -> "PatchCache":
        """For a network, the contents of its pictures in their order, a layer, and how many patches a unit has."""
        if trained.folder is None:
            return cls(None)
        digest = hashlib.sha256(f"{weights_digest(trained.model)} {layer} {patches} {trained.preprocess.to_dict()}".encode())
        digest.update(as_bytes(asked.rows))
        for row in asked.rows.tolist():
            digest.update(asked.material.digests[row])
        return cls(trained.folder.path / EXPLAIN / f"top_patches-{digest.hexdigest()[:20]}.safetensors")

    def load(self) -> TopPatches | None:
        """What was found; None where nothing is kept, or what is there is damaged."""
        if self.path is None or not self.path.is_file():
            return None
        with contextlib.suppress(WeightsError, KeyError):
            tensors = read_state(self.path).tensors
            return TopPatches(*(tensors[name] for name in TENSORS))
        return None

    def keep(self, found: TopPatches) -> bool:
        """Write it, and remove the oldest where there are many; False where the run's folder cannot be written to."""
        if self.path is None:
            return False
        try:
            make_folder(self.path.parent)
            write_weights(self.path, {name: getattr(found, name) for name in TENSORS}, {})
        except SurroundingsError:
            return False
        others = sorted(self.path.parent.glob("top_patches-*.safetensors"), key=lambda path: path.stat().st_mtime)
        for path in others[:-MOST_KEPT]:
            path.unlink(missing_ok=True)
        return True
