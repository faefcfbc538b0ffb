"""What an evaluation leaves on the disk."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neocog.data.dataset import Dataset
from neocog.errors import UsageError
from neocog.evaluation.evaluate import Evaluation
from neocog.evaluation.pictures import PICTURES, save_pictures
from neocog.evaluation.predictions import write_predictions
from neocog.files import make_folder, write_json
from neocog.run import Trained
from neocog.run.folder import PREDICTIONS, RECIPE

__all__ = ["FILES", "refuse_foreign", "save_evaluation"]

EVALUATION = "evaluation.json"

FILES = (EVALUATION, PREDICTIONS, Path(PREDICTIONS).stem, *PICTURES)
"""Names of the files that `save_evaluation` writes; the first tells that the others are an evaluation's."""


def save_evaluation(folder: Path, evaluation: Evaluation, dataset: Dataset, trained: Trained) -> tuple[Path, ...]:
    """Write predictions.parquet, evaluation.json, and the pictures of `save_pictures`.

    Args:
        folder: may hold an earlier evaluation, which is replaced; a run of its own has its manifest corrected.
        evaluation: what was found.
        dataset: of the pictures.
        trained: the network that was asked, the first where there were several.

    Returns:
        the files written.

    Raises:
        SurroundingsError: the folder cannot be written to.
    """
    make_folder(folder)
    write_predictions(folder / PREDICTIONS, evaluation, dataset, trained.class_names)
    run = trained.folder
    if run is not None and run.finished and folder.resolve() == run.path.resolve():
        run.renew_hash(PREDICTIONS)
    pictures = save_pictures(folder, evaluation, dataset, trained)
    facts: dict[str, Any] = {"dataset": dataset.name, "pictures": len(evaluation.indices), "metrics": evaluation.named_metrics()}
    if evaluation.noise is not None:
        facts["noise"] = evaluation.noise
    if evaluation.baselines:
        facts["baselines"] = [asdict(baseline) for baseline in evaluation.baselines]
    averaged = len(evaluation.members) > 1 or evaluation.views
    write_json(folder / EVALUATION, {**facts, **(evaluation.averaging() if averaged else {})})
    return folder / PREDICTIONS, folder / EVALUATION, *pictures


def refuse_foreign(folder: Path, names: Sequence[str]) -> None:
    """Check that files can be written to a folder without loss of what somebody else wrote.

    Args:
        folder: which.
        names: of the files, first that one which tells that the others are ours.

    Raises:
        UsageError: it is the folder of a run, or has files of these names without the first.
    """
    expected, remedy = "a folder for the evaluation that holds no other work", "choose another place with --save"
    if (folder / RECIPE).is_file():
        raise UsageError(expected, f"{folder}, a run", remedy)
    held = [name for name in names if (folder / name).exists()]
    if held and names[0] not in held:
        raise UsageError(expected, f"{folder / held[0]}, which no evaluation wrote", remedy)
