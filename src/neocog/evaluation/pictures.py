"""Pictures of an evaluation: the confusion matrix, and the most confident mistakes."""

from pathlib import Path

from neocog.data.dataset import Dataset
from neocog.draw.confusion import confusion_matrix
from neocog.draw.contact_sheet import contact_sheet
from neocog.evaluation.evaluate import Evaluation
from neocog.files import write_atomically
from neocog.images import encode_png
from neocog.metrics.classification import ClassificationMetrics
from neocog.run import Trained
from neocog.targets import Label

__all__ = ["save_pictures"]

MISTAKES_SHOWN = 24
MOST_CLASSES_DRAWN = 100


def save_pictures(folder: Path, evaluation: Evaluation, dataset: Dataset, trained: Trained) -> list[Path]:
    """Write confusion_matrix.png and mistakes.png of a classification; nothing for other tasks yet.

    Returns:
        the files written.

    Raises:
        SurroundingsError: the folder cannot be written to.
    """
    if not isinstance(evaluation.sums, ClassificationMetrics):
        return []
    written = []
    title = f"{dataset.name}, {evaluation.split}: accuracy {evaluation.metrics['accuracy']:.4f} on {len(evaluation.indices):,} pictures"
    if len(trained.class_names) <= MOST_CLASSES_DRAWN:
        picture = confusion_matrix(evaluation.sums.confusion, trained.class_names, title)
        written.append(_write(folder / "confusion_matrix.png", encode_png(picture)))
    mistakes = _mistakes(evaluation, dataset)
    if mistakes:
        names = trained.class_names
        sheet = contact_sheet(
            [dataset.picture(index, at_least=(256, 256)) for _, index, _, _ in mistakes],
            [f"{names[said]} {confidence:.0%}\nis {names[truth]}" for confidence, _, said, truth in mistakes],
            title=f"{dataset.name}, {evaluation.split}: the most confident mistakes",
        )
        written.append(_write(folder / "mistakes.png", encode_png(sheet)))
    return written


def _mistakes(evaluation: Evaluation, dataset: Dataset) -> list[tuple[float, int, int, int]]:
    """Confidence, picture, answer and truth of the wrong answers, the most confident first."""
    found = []
    for index, prediction in zip(evaluation.indices.tolist(), evaluation.predictions, strict=True):
        truth, answer = dataset.target(index), prediction.answer
        if isinstance(truth, Label) and isinstance(answer, Label) and prediction.scores is not None:
            right = truth.index if evaluation.classes is None else int(evaluation.classes[truth.index])
            if answer.index != right:
                found.append((float(prediction.scores[answer.index]), index, answer.index, right))
    return sorted(found, key=lambda mistake: (-mistake[0], mistake[1]))[:MISTAKES_SHOWN]


def _write(path: Path, data: bytes) -> Path:
    write_atomically(path, data)
    return path
