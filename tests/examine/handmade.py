"""Networks that are put together by hand, asked as trained ones are, and pictures of noise with known classes."""

import torch
from torch import nn

from neocog.batch import Preprocess
from neocog.data.arrays import ArrayDataset
from neocog.data.loader import Loader
from neocog.data.pixels import gather
from neocog.engine import Plan
from neocog.models.network import Network
from neocog.run import Trained
from neocog.tasks.classify import Classify, ClassifyOptions

__all__ = ["asked", "identity", "loaded", "noise", "pictures_of"]


def asked(stages, head, *, channels, size, canvas=None, in_channels=1, classes=2, plan=None):
    """A network whose pixels keep their scale, ready to answer."""
    plain = Preprocess((size, size), (canvas or size, canvas or size), in_channels, (0.0,) * in_channels, (1.0,) * in_channels)
    network = Network(stages, head, channels=channels, preprocess=plain, num_classes=classes).eval()
    names = tuple(map(str, range(classes)))
    return Trained("handmade", network, Classify(ClassifyOptions(), names), "classify", names, (), plan or Plan())


def pictures_of(pixels, labels, name="handmade", lengths=None):
    """A dataset of these pixels."""
    names = tuple(map(str, range(max(2, int(labels.max()) + 1))))
    return ArrayDataset(name, pixels, labels, names, lengths=lengths, mirrored=True, licence="none")


def loaded(pixels, labels):
    """A loader of these pixels, whose canvas is theirs."""
    dataset = pictures_of(pixels, labels)
    return Loader(dataset, gather(dataset, canvas=tuple(pixels.shape[2:]), channels=pixels.shape[1]), pixels.shape[1])


def noise(count, side, channels=1, seed=0):
    """Pictures in which every pixel is drawn by itself."""
    return torch.randint(0, 256, (count, channels, side, side), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def identity(channels):
    """A 1x1 convolution that changes nothing."""
    layer = nn.Conv2d(channels, channels, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(channels)[:, :, None, None])
        layer.bias.zero_()
    return layer
