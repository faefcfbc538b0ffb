"""predictions.parquet: one row for each picture of the evaluated split."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from neocog.data.dataset import Dataset
from neocog.evaluation.evaluate import TOP, Evaluation, Ranked
from neocog.files import make_folder, printable, write_atomically
from neocog.images import encode_png
from neocog.targets import Boxes, Clean, Label, Mask, Prediction, Target

__all__ = ["prediction_row", "write_predictions"]


def write_predictions(path: Path, evaluation: Evaluation, dataset: Dataset, class_names: Sequence[str]) -> None:
    """Write the predictions of an evaluation; equal predictions give equal bytes.

    Masks and restored pictures are written as PNG files into a folder of the same name without the suffix,
    and the table names the files.

    Raises:
        SurroundingsError: the disk is full, or the folder cannot be written to.
    """
    import pyarrow
    from pyarrow import parquet

    pictures = [printable(dataset.where(index)) for index in evaluation.indices.tolist()]
    if isinstance(evaluation.predictions, Ranked):
        table = pyarrow.table({"picture": pictures, **_columns(evaluation.predictions, class_names)})
    else:
        rows: list[dict[str, Any]] = []
        for picture, prediction in zip(pictures, evaluation.predictions, strict=True):
            row = {"picture": picture, **prediction_row(prediction, class_names)}
            if isinstance(prediction.answer, Mask | Clean):
                row["file"] = _write_picture(path.with_suffix(""), len(rows), prediction.answer)
            rows.append(row)
        table = pyarrow.Table.from_pylist(rows)
    file = io.BytesIO()
    parquet.write_table(table, file, compression="zstd")
    write_atomically(path, file.getvalue())


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
        probabilities; for boxes: corners (x1, y1, x2, y2 in source pixels), classes and scores; for masks and
        pictures: height and width.
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
    return {"height": height, "width": width}


def _top(scores: Tensor) -> list[tuple[int, float]]:
    top = scores.topk(min(TOP, len(scores)))
    return list(zip(top.indices.tolist(), top.values.tolist(), strict=True))


def _write_picture(folder: Path, number: int, answer: Target) -> str:
    make_folder(folder)
    picture = answer.classes[None] if isinstance(answer, Mask) else answer.picture if isinstance(answer, Clean) else None
    if picture is None:
        raise TypeError(f"{type(answer).__name__} is not a picture")
    path = folder / f"{number:06d}.png"
    write_atomically(path, encode_png(picture))
    return f"{folder.name}/{path.name}"
