"""Modules that several families of networks share, each named by its paper."""

from neocog.layers.activation import Activation, activation
from neocog.layers.average_to import AverageTo
from neocog.layers.backward import batch_norm_backward, correlation_backward, max_pool_backward
from neocog.layers.batch_norm import set_batch_norms
from neocog.layers.bilinear_upsampling import BilinearUpsampling, bilinear_kernel
from neocog.layers.convolution import ConvolutionUnit, identity_convolution
from neocog.layers.convolution_forms import (
    correlation_by_fft,
    correlation_by_im2col,
    correlation_by_toeplitz,
    toeplitz_matrix,
    transposed_by_col2im,
)
from neocog.layers.correlation import convolution, correlation
from neocog.layers.dense_block import DenseLayer, dense_block, preactivated
from neocog.layers.dense_classifier import dense_classifier
from neocog.layers.dense_crf import DenseCrf, DenseCrfOptions, dense_crf
from neocog.layers.dilated_pooling import DilatedAvgPool2d, DilatedMaxPool2d
from neocog.layers.dilation import dilate
from neocog.layers.dropout import dropout
from neocog.layers.expanding import Expanding, Upsampling, double_convolution
from neocog.layers.filters import binomial, gabor, gabor_bank, gaussian, sharpening, sobel
from neocog.layers.head import pooled_classifier
from neocog.layers.inception import AuxiliaryPool, Inception, InceptionWidths, inception_module, normalised_unit
from neocog.layers.initialise import initialise_convolutions, initialise_for, initialise_linears, initialise_truncated
from neocog.layers.inverted_residual import InvertedResidual
from neocog.layers.local_bias import LocalBias
from neocog.layers.local_contrast_norm import LocalContrastNorm
from neocog.layers.local_response_norm import LocalResponseNorm
from neocog.layers.locally_connected import LocallyConnected2d
from neocog.layers.normalisation import batch_norm, group_norm, instance_norm, layer_norm, normalise
from neocog.layers.permutohedral import PermutohedralLattice
from neocog.layers.pooling import BlurPool2d, SumPool2d
from neocog.layers.reach import Reach, reach, recorded_reaches, widest
from neocog.layers.residual import (
    Residual,
    ZeroPadShortcut,
    basic_block,
    bottleneck,
    plain_block,
    projection_shortcut,
    zero_pad_shortcut,
)
from neocog.layers.resize_convolution import ResizeConvolution, checkerboard, painted_times
from neocog.layers.scaled_tanh import ScaledTanh, initialise_for_scaled_tanh, uniform_by_fan_in
from neocog.layers.scores import DilatedPyramid, convolutional_scores
from neocog.layers.sizes import output_size, transposed_output_size
from neocog.layers.spatial_pyramid_pooling import SpatialPyramidPooling
from neocog.layers.squeeze_excitation import SqueezeExcitation
from neocog.layers.stochastic_depth import StochasticDepth
from neocog.layers.surround import at_least, fit_to, mirrored, placed, resized
from neocog.layers.synchronised_batch_norm import SynchronisedBatchNorm2d, synchronise_batch_norms
from neocog.layers.table_convolution import TableConvolution
from neocog.layers.unpooling import Unpool, unpool

__all__ = [
    "Activation",
    "AuxiliaryPool",
    "AverageTo",
    "BilinearUpsampling",
    "BlurPool2d",
    "ConvolutionUnit",
    "DenseCrf",
    "DenseCrfOptions",
    "DenseLayer",
    "DilatedAvgPool2d",
    "DilatedMaxPool2d",
    "DilatedPyramid",
    "Expanding",
    "Inception",
    "InceptionWidths",
    "InvertedResidual",
    "LocalBias",
    "LocalContrastNorm",
    "LocalResponseNorm",
    "LocallyConnected2d",
    "PermutohedralLattice",
    "Reach",
    "Residual",
    "ResizeConvolution",
    "ScaledTanh",
    "SpatialPyramidPooling",
    "SqueezeExcitation",
    "StochasticDepth",
    "SumPool2d",
    "SynchronisedBatchNorm2d",
    "TableConvolution",
    "Unpool",
    "Upsampling",
    "ZeroPadShortcut",
    "activation",
    "at_least",
    "basic_block",
    "batch_norm",
    "batch_norm_backward",
    "bilinear_kernel",
    "binomial",
    "bottleneck",
    "checkerboard",
    "convolution",
    "convolutional_scores",
    "correlation",
    "correlation_backward",
    "correlation_by_fft",
    "correlation_by_im2col",
    "correlation_by_toeplitz",
    "dense_block",
    "dense_classifier",
    "dense_crf",
    "dilate",
    "double_convolution",
    "dropout",
    "fit_to",
    "gabor",
    "gabor_bank",
    "gaussian",
    "group_norm",
    "identity_convolution",
    "inception_module",
    "initialise_convolutions",
    "initialise_for",
    "initialise_for_scaled_tanh",
    "initialise_linears",
    "initialise_truncated",
    "instance_norm",
    "layer_norm",
    "max_pool_backward",
    "mirrored",
    "normalise",
    "normalised_unit",
    "output_size",
    "painted_times",
    "placed",
    "plain_block",
    "pooled_classifier",
    "preactivated",
    "projection_shortcut",
    "reach",
    "recorded_reaches",
    "resized",
    "set_batch_norms",
    "sharpening",
    "sobel",
    "synchronise_batch_norms",
    "toeplitz_matrix",
    "transposed_by_col2im",
    "transposed_output_size",
    "uniform_by_fan_in",
    "unpool",
    "widest",
    "zero_pad_shortcut",
]
