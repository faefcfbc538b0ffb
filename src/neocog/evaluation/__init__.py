"""Asking a trained network about a whole split: metrics, predictions, pictures of what went wrong."""

from neocog.evaluation.answers import answers, window
from neocog.evaluation.classes import match_classes
from neocog.evaluation.evaluate import Evaluation, evaluate
from neocog.evaluation.material import Material, given_pictures, own_pictures, read_material, recorded_splits
from neocog.evaluation.pictures import save_pictures
from neocog.evaluation.predictions import write_predictions

__all__ = [
    "Evaluation",
    "Material",
    "answers",
    "evaluate",
    "given_pictures",
    "match_classes",
    "own_pictures",
    "read_material",
    "recorded_splits",
    "save_pictures",
    "window",
    "write_predictions",
]
