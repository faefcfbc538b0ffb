"""Pictures of an evaluation: the confusion matrix, and the most confident mistakes."""

from pathlib import Path

from jaxtyping import Int64
from torch import Tensor

from neocog.data.dataset import Dataset
from neocog.draw.confusion import confusion_matrix
from neocog.draw.contact_sheet import contact_sheet
from neocog.evaluation.evaluate import Evaluation, Ranked
from neocog.files import write_atomically
from neocog.images import encode_png
from neocog.metrics.classification import ClassificationMetrics
from neocog.run import Trained

__all__ = ["PICTURES", "save_pictures"]

PICTURES = CONFUSION, MISTAKES = "confusion_matrix.png", "mistakes.png"
"""Names of the files that `save_pictures` writes."""

MISTAKES_SHOWN = 24
MOST_CLASSES_DRAWN = 100


def save_pictures(folder: Path, evaluation: Evaluation, dataset: Dataset, trained: Trained) -> list[Path]:
    """Write confusion_matrix.png and mistakes.png of a classification; nothing for other tasks yet.

    Returns:
        the files written.

    Raises:
        SurroundingsError: the folder cannot be written to.
    """
    ranked = evaluation.predictions
    if not isinstance(evaluation.sums, ClassificationMetrics) or not isinstance(ranked, Ranked):
        return []
    written = []
    title = f"{dataset.name}, {evaluation.split}: accuracy {evaluation.metrics['accuracy']:.4f} on {len(evaluation.indices):,} pictures"
    if len(trained.class_names) <= MOST_CLASSES_DRAWN:
        picture = confusion_matrix(evaluation.sums.confusion, trained.class_names, title)
        written.append(_write(folder / CONFUSION, encode_png(picture)))
    mistakes = _mistakes(evaluation.indices, ranked)
    if mistakes:
        names = trained.class_names
        sheet = contact_sheet(
            [dataset.picture(index, at_least=(256, 256)) for _, index, _, _ in mistakes],
            [f"{names[said]} {confidence:.0%}\nis {names[truth]}" for confidence, _, said, truth in mistakes],
            title=f"{dataset.name}, {evaluation.split}: the most confident mistakes",
        )
        written.append(_write(folder / MISTAKES, encode_png(sheet)))
    return written


def _mistakes(indices: Int64[Tensor, "n"], ranked: Ranked) -> list[tuple[float, int, int, int]]:
    """Confidence, picture, answer and truth of the most confident wrong answers, the most confident first."""
    wrong = ranked.answers != ranked.truth
    columns = (ranked.probabilities[:, 0], indices, ranked.answers, ranked.truth)
    found = zip(*(column[wrong].tolist() for column in columns), strict=True)
    return sorted(found, key=lambda mistake: (-mistake[0], mistake[1]))[:MISTAKES_SHOWN]


def _write(path: Path, data: bytes) -> Path:
    write_atomically(path, data)
    return path
