"""A request to a network that is put together by hand, about pictures of noise."""

import torch
from torch import nn

from examine.handmade import asked, noise, pictures_of
from neocog.data.loader import Loader
from neocog.data.pixels import gather
from neocog.evaluation import Material
from neocog.examine.member import Asked, Request
from neocog.options import NoOptions
from neocog.progress import Silent

__all__ = ["convolutional", "data_of", "request"]


def convolutional(plan=None, classes=3):
    """Two stages on 8x8 grey images, with weights that are drawn."""
    torch.manual_seed(0)
    stages = {
        "first": nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(inplace=True)),
        "second": nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(inplace=True)),
    }
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, classes))
    return asked(stages, head, channels=(4, 6), size=8, classes=classes, plan=plan)


def data_of(count=6, classes=3, side=8):
    """Opens pictures of noise, of which all are asked about."""
    pixels = noise(count, side)
    dataset = pictures_of(pixels, torch.arange(count) % classes)

    def open_data():
        gathered = gather(dataset, canvas=(side, side), channels=1)
        material = Material(dataset, Loader(dataset, gathered, 1), gathered, gathered.digests, gathered.faults, gathered.notes)
        return Asked(material, "test", torch.arange(count))

    return open_data


def request(trained=None, open_data=None, options=None, **more):
    """What is asked of a method."""
    return Request(trained or convolutional(), options or NoOptions(), open_data or data_of(), Silent(), **more)
