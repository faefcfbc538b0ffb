"""Modules that several families of networks share, each named by its paper."""

from neocog.layers.activation import Activation, activation
from neocog.layers.convolution import ConvolutionUnit
from neocog.layers.head import pooled_classifier
from neocog.layers.initialise import initialise_convolutions, initialise_for, initialise_linears
from neocog.layers.inverted_residual import InvertedResidual
from neocog.layers.reach import Reach, reach, widest
from neocog.layers.residual import Residual, ZeroPadShortcut, basic_block, bottleneck, projection_shortcut, zero_pad_shortcut

__all__ = [
    "Activation",
    "ConvolutionUnit",
    "InvertedResidual",
    "Reach",
    "Residual",
    "ZeroPadShortcut",
    "activation",
    "basic_block",
    "bottleneck",
    "initialise_convolutions",
    "initialise_for",
    "initialise_linears",
    "pooled_classifier",
    "projection_shortcut",
    "reach",
    "widest",
    "zero_pad_shortcut",
]
