"""predictions.parquet: one row for each picture of the evaluated split."""

import io
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neocog.data.dataset import Dataset
from neocog.evaluation.evaluate import TOP, Evaluation, Ranked
from neocog.evaluation.packed import Packed
from neocog.files import make_folder, printable, write_atomically
from neocog.targets import Boxes, Label, Mask, Prediction

__all__ = ["prediction_row", "write_predictions"]

ROWS_COUNTED = 512
ROWS_AT_ONCE = 1 << 15


def write_predictions(path: Path, evaluation: Evaluation, dataset: Dataset, class_names: Sequence[str]) -> None:
    """Write the predictions of an evaluation; equal predictions give equal bytes.

    Masks and restored pictures are written as PNG files into a folder of the same name without the suffix,
    and the table names the files.

    Raises:
        SurroundingsError: the disk is full, or the folder cannot be written to.
    """
    import pyarrow
    from pyarrow import parquet

    tables: Iterable[Any] = _ranked_tables(evaluation, dataset, class_names)
    if not isinstance(evaluation.predictions, Ranked):
        pictures = [printable(dataset.where(index)) for index in evaluation.indices.tolist()]
        rows: list[dict[str, Any]] = []
        for picture, prediction in zip(pictures, evaluation.predictions, strict=True):
            if isinstance(prediction, Packed):
                file_name = _write_picture(path.with_suffix(""), len(rows), prediction)
                rows.append({"picture": picture, **prediction.row, "file": file_name})
            else:
                rows.append({"picture": picture, **prediction_row(prediction, class_names)})
        _remove_from(path.with_suffix(""), len(rows))
        tables = [pyarrow.Table.from_pylist(rows)]
    file, writer = io.BytesIO(), None
    for table in tables:
        writer = writer or parquet.ParquetWriter(file, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()
    write_atomically(path, file.getvalue())


def _ranked_tables(evaluation: Evaluation, dataset: Dataset, class_names: Sequence[str]) -> Iterator[Any]:
    """The labels, so many rows at a time: as a table they take several times the memory that they are kept in."""
    import pyarrow

    ranked = evaluation.predictions
    if isinstance(ranked, Ranked):
        for rows in torch.arange(len(evaluation.indices)).split(ROWS_AT_ONCE):
            pictures = [printable(dataset.where(index)) for index in evaluation.indices[rows].tolist()]
            part = Ranked(*(column[rows] for column in ranked))
            yield pyarrow.table({"picture": pictures, **_columns(part, class_names)})


def _columns(ranked: Ranked, class_names: Sequence[str]) -> dict[str, Any]:
    """Of labels the columns that `prediction_row` names, and whether each is right."""
    import numpy as np
    import pyarrow

    names = pyarrow.array(list(class_names), pyarrow.string())
    count, most = ranked.classes.shape
    ends = np.arange(count + 1, dtype=np.int32) * most

    def named(classes: Tensor) -> Any:
        return names.take(pyarrow.array(classes.flatten().numpy()))

    return {
        "prediction": named(ranked.answers),
        "confidence": ranked.probabilities[:, 0].double().numpy(),
        "top_classes": pyarrow.ListArray.from_arrays(ends, named(ranked.classes)),
        "top_probabilities": pyarrow.ListArray.from_arrays(ends, pyarrow.array(ranked.probabilities.double().flatten().numpy())),
        "target": named(ranked.truth),
        "correct": (ranked.answers == ranked.truth).numpy(),
    }


def prediction_row(prediction: Prediction, class_names: Sequence[str]) -> dict[str, Any]:
    """What JSON and tables say of one prediction.

    Returns:
        for a label: prediction, confidence in [0, 1], and the five most probable classes with their
        probabilities; for boxes: corners (x1, y1, x2, y2 in source pixels), classes and scores; for masks: height, width
        and each class's share of the pixels, the largest first; for pictures: height and width.
    """
    answer, scores = prediction.answer, prediction.scores
    if isinstance(answer, Label):
        top = _top(scores) if scores is not None else [(answer.index, 1.0)]
        return {
            "prediction": class_names[answer.index],
            "confidence": top[0][1],
            "top_classes": [class_names[index] for index, _ in top],
            "top_probabilities": [value for _, value in top],
        }
    if isinstance(answer, Boxes):
        return {
            "boxes": answer.corners.tolist(),
            "classes": [class_names[index] for index in answer.classes.tolist()],
            "scores": [] if scores is None else scores.tolist(),
        }
    height, width = (answer.classes if isinstance(answer, Mask) else answer.picture).shape[-2:]
    row: dict[str, Any] = {"height": height, "width": width}
    if isinstance(answer, Mask):
        shares = {class_names[index]: count / answer.classes.numel() for index, count in _counts(answer)}
        row["shares"] = dict(sorted(shares.items(), key=lambda share: -share[1]))
    return row


def _counts(mask: Mask) -> list[tuple[int, int]]:
    """How many pixels each class has that occurs; some rows at a time, as a mask may be large."""
    counts: Counter[int] = Counter()
    for rows in mask.classes.split(ROWS_COUNTED):
        found, numbers = rows.to(torch.int32).unique(return_counts=True)
        counts.update(dict(zip(found.tolist(), numbers.tolist(), strict=True)))
    return sorted(counts.items())


def _top(scores: Tensor) -> list[tuple[int, float]]:
    top = scores.topk(min(TOP, len(scores)))
    return list(zip(top.indices.tolist(), top.values.tolist(), strict=True))


def _write_picture(folder: Path, number: int, prediction: Packed) -> str:
    make_folder(folder)
    path = folder / _file_name(number)
    write_atomically(path, prediction.file)
    return f"{folder.name}/{path.name}"


def _remove_from(folder: Path, count: int) -> None:
    """Remove the pictures of an earlier evaluation that had more of them."""
    for number in itertools.count(count):
        path = folder / _file_name(number)
        if not path.is_file():
            return
        path.unlink()


def _file_name(number: int) -> str:
    return f"{number:06d}.png"
