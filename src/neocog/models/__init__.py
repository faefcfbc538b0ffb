"""Architectures, one file per family, and weights for them."""

from neocog.models.create import create_model
from neocog.models.describe import Description, StageRow, describe
from neocog.models.entry import MODELS, Entry, ModelSpec, Trait, adapt_preprocess
from neocog.models.imagenet import ImageNetClass, imagenet_classes
from neocog.models.layer_rows import LayerRow, fold
from neocog.models.memory import activation_bytes, saved_for_backward
from neocog.models.network import Learner, Network, StageInfo, folded_norms
from neocog.models.published import PublishedWeights, all_published_weights, open_weights, published_weights
from neocog.models.state import StateFile, read_state, write_weights
from neocog.models.weights import WeightsReport, adapt_input, load_weights

__all__ = [
    "MODELS",
    "Description",
    "Entry",
    "ImageNetClass",
    "LayerRow",
    "Learner",
    "ModelSpec",
    "Network",
    "PublishedWeights",
    "StageInfo",
    "StageRow",
    "StateFile",
    "Trait",
    "WeightsReport",
    "activation_bytes",
    "adapt_input",
    "adapt_preprocess",
    "all_published_weights",
    "create_model",
    "describe",
    "fold",
    "folded_norms",
    "imagenet_classes",
    "load_weights",
    "open_weights",
    "published_weights",
    "read_state",
    "saved_for_backward",
    "write_weights",
]
