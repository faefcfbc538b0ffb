"""What an evaluation leaves on the disk."""

from pathlib import Path

from neocog.data.dataset import Dataset
from neocog.evaluation.evaluate import Evaluation
from neocog.evaluation.pictures import PICTURES, save_pictures
from neocog.evaluation.predictions import write_predictions
from neocog.files import make_folder, write_json
from neocog.run import Trained
from neocog.run.folder import PREDICTIONS

__all__ = ["FILES", "save_evaluation"]

EVALUATION = "evaluation.json"

FILES = (EVALUATION, PREDICTIONS, *PICTURES)
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
    facts = {"dataset": dataset.name, "pictures": len(evaluation.indices), "metrics": evaluation.named_metrics()}
    averaged = len(evaluation.members) > 1 or evaluation.views
    write_json(folder / EVALUATION, {**facts, **(evaluation.averaging() if averaged else {})})
    return folder / PREDICTIONS, folder / EVALUATION, *pictures
