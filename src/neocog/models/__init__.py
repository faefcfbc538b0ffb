"""Architectures, one file per family, and weights for them."""

from neocog.models.create import create_model
from neocog.models.describe import Description, StageRow, describe
from neocog.models.entry import MODELS, Entry, ModelSpec, Trait, adapt_preprocess
from neocog.models.imagenet import ImageNetClass, imagenet_classes
from neocog.models.network import Learner, Network, StageInfo, folded_norms
from neocog.models.state import StateFile, read_state, write_weights
from neocog.models.weights import WeightsReport, adapt_input, load_weights

__all__ = [
    "MODELS",
    "Description",
    "Entry",
    "ImageNetClass",
    "Learner",
    "ModelSpec",
    "Network",
    "StageInfo",
    "StageRow",
    "StateFile",
    "Trait",
    "WeightsReport",
    "adapt_input",
    "adapt_preprocess",
    "create_model",
    "describe",
    "folded_norms",
    "imagenet_classes",
    "load_weights",
    "read_state",
    "write_weights",
]
