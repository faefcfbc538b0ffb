"""neocog's own side of the trainings: by its Python interface, at its defaults."""

import tempfile
from pathlib import Path
from typing import Any

__all__ = ["train_and_time"]


def train_and_time(dataset: str, **choices: Any) -> dict[str, Any]:
    """Train into a folder that is thrown away.

    Args:
        dataset: name or path.
        choices: of `neocog.train`.

    Returns:
        The pictures (of denoising the patches) that passed through the network, their number per second with everything
        that happens once (reading, the probe) and without ("steady"), and the plan.
    """
    import neocog

    with tempfile.TemporaryDirectory() as out:
        run = neocog.train(dataset, out=Path(out) / "run", progress=False, **choices)
        folder_of_run = run.trained.folder
        if run.result is None or folder_of_run is None:
            raise RuntimeError("the training left no result")
        events = {event["event"]: event for event in folder_of_run.events()}
        once = events["read"]["seconds"] + events["plan"]["cost"]
        pictures = run.result.images_per_second * run.result.seconds
        return {
            "pictures": round(pictures),
            "seconds": once + run.result.seconds,
            "images_per_second": pictures / (once + run.result.seconds),
            "steady": run.result.images_per_second,
            "plan": {key: run.result.plan[key] for key in ("layout", "precision", "threads")},
        }
