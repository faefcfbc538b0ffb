"""Asking a trained network about a whole split: metrics, predictions, pictures of what went wrong; several networks too."""

from neocog.evaluation.answers import answers, window
from neocog.evaluation.baselines import with_baselines
from neocog.evaluation.caveats import caveats
from neocog.evaluation.classes import match_classes
from neocog.evaluation.cost import Cost
from neocog.evaluation.crf import CrfSearch, crf_of, search_crf
from neocog.evaluation.ensemble import Ensemble, assemble
from neocog.evaluation.evaluate import Evaluation, evaluate, evaluate_together
from neocog.evaluation.material import Material, given_pictures, own_pictures, read_each, read_material, recorded_splits
from neocog.evaluation.noise import OtherNoise, noise_in_words, refuse_pairs, with_noise
from neocog.evaluation.pictures import save_pictures
from neocog.evaluation.predictions import write_predictions
from neocog.evaluation.saving import save_evaluation
from neocog.evaluation.views import VIEWS

__all__ = [
    "VIEWS",
    "Cost",
    "CrfSearch",
    "Ensemble",
    "Evaluation",
    "Material",
    "OtherNoise",
    "answers",
    "assemble",
    "caveats",
    "crf_of",
    "evaluate",
    "evaluate_together",
    "given_pictures",
    "match_classes",
    "noise_in_words",
    "own_pictures",
    "read_each",
    "read_material",
    "recorded_splits",
    "refuse_pairs",
    "save_evaluation",
    "save_pictures",
    "search_crf",
    "window",
    "with_baselines",
    "with_noise",
    "write_predictions",
]
