"""Pictures of an evaluation: of a classification the confusion matrix and the most confident mistakes, else the worst answers."""

from pathlib import Path

from jaxtyping import Int64
from torch import Tensor

from neocog.data.dataset import Dataset
from neocog.draw.confusion import confusion_matrix
from neocog.draw.contact_sheet import contact_sheet
from neocog.evaluation.classes import match_classes, target_in_classes
from neocog.evaluation.evaluate import Evaluation, Ranked
from neocog.evaluation.noise import noise_in_words
from neocog.evaluation.packed import Packed
from neocog.files import write_atomically
from neocog.images import encode_png
from neocog.metrics.classification import ClassificationMetrics
from neocog.run import Trained

__all__ = ["PICTURES", "save_pictures"]

PICTURES = CONFUSION, MISTAKES, WORST = "confusion_matrix.png", "mistakes.png", "worst.png"
"""Names of the files that `save_pictures` writes."""

MISTAKES_SHOWN = 24
MOST_CLASSES_DRAWN = 100
WORST_SHOWN = 6
WORST_WIDTH = 1200  # pixels


def save_pictures(folder: Path, evaluation: Evaluation, dataset: Dataset, trained: Trained) -> list[Path]:
    """Write confusion_matrix.png and mistakes.png of a classification; worst.png of a task whose answers are judged one by one.

    Returns:
        the files written.

    Raises:
        SurroundingsError: the folder cannot be written to.
    """
    ranked = evaluation.predictions
    if not isinstance(ranked, Ranked):
        return _save_worst(folder, evaluation, dataset, trained)
    if not isinstance(evaluation.sums, ClassificationMetrics):
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


def _save_worst(folder: Path, evaluation: Evaluation, dataset: Dataset, trained: Trained) -> list[Path]:
    """The pictures whose answers are worst by the primary metric, each as the task draws it beside the truth."""
    primary, sign = evaluation.sums.primary, 1 if evaluation.sums.higher_is_better else -1
    judged = [
        (packed.row[primary], index, packed)
        for packed, index in zip(evaluation.predictions, evaluation.indices.tolist(), strict=True)
        if isinstance(packed, Packed) and primary in packed.row
    ]
    if not judged:
        return []
    worst = sorted(judged, key=lambda one: (sign * one[0], one[1]))[:WORST_SHOWN]
    classes = match_classes(dataset, trained)
    drawn = [
        trained.task.draw(dataset.picture(index), packed.prediction, target_in_classes(dataset.target(index), classes))
        for _, index, packed in worst
    ]
    noise = "" if evaluation.noise is None else f"{noise_in_words(evaluation.noise)}, "
    sheet = contact_sheet(
        drawn,
        [f"{dataset.where(index)}: {primary} {value:.3f}" for value, index, _ in worst],
        columns=1,
        title=f"{dataset.name}, {evaluation.split}: {noise}the worst answers ({primary} {evaluation.metrics[primary]:.4f} in all)",
        cell=min(WORST_WIDTH, max(max(picture.shape[1:]) for picture in drawn)),
    )
    return [_write(folder / WORST, encode_png(sheet))]


def _mistakes(indices: Int64[Tensor, "n"], ranked: Ranked) -> list[tuple[float, int, int, int]]:
    """Confidence, picture, answer and truth of the most confident wrong answers, the most confident first."""
    wrong = ranked.answers != ranked.truth
    columns = (ranked.probabilities[:, 0], indices, ranked.answers, ranked.truth)
    found = zip(*(column[wrong].tolist() for column in columns), strict=True)
    return sorted(found, key=lambda mistake: (-mistake[0], mistake[1]))[:MISTAKES_SHOWN]


def _write(path: Path, data: bytes) -> Path:
    write_atomically(path, data)
    return path
