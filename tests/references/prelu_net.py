"""PReLU networks: a second implementation after table 3, a list of tensors and one loop over them. It has no dropout."""

from functools import partial

import torch
from torch import nn
from torch.nn import functional

from references.reference import Reference

COLUMNS = {
    "prelu_net_a": [256] * 5 + [512] * 5 + [512] * 5,
    "prelu_net_b": [256] * 6 + [512] * 6 + [512] * 6,
    "prelu_net_c": [384] * 6 + [768] * 6 + [896] * 6,
}


def rectify(values, slopes):
    """f(y) = max(0, y) + a min(0, y), an a for each channel"""
    slopes = slopes.reshape(-1, *[1] * (values.ndim - 2))
    return values.clamp(min=0) + slopes * values.clamp(max=0)


class Table3(nn.Module):
    def __init__(self, channels):
        super().__init__()
        shapes = [(96, 3, 7, 7)]
        shapes += [(width, seen, 3, 3) for width, seen in zip(channels, [96, *channels], strict=False)]
        shapes += [(4096, channels[-1] * 63), (4096, 4096), (1000, 4096)]
        self.w = nn.ParameterList(torch.zeros(shape) for shape in shapes)
        self.b = nn.ParameterList(torch.zeros(shape[0]) for shape in shapes)
        self.a = nn.ParameterList(torch.zeros(shape[0]) for shape in shapes[:-1])
        self.of_one_size = len(channels) // 3

    def forward(self, images):
        convolutions = len(self.w) - 3
        maps = rectify(functional.conv2d(images, self.w[0], self.b[0], stride=2, padding=3), self.a[0])
        for layer in range(1, convolutions):
            if layer % self.of_one_size == 1:
                maps = functional.max_pool2d(maps, 2)
            maps = rectify(functional.conv2d(maps, self.w[layer], self.b[layer], padding="same"), self.a[layer])
        units = torch.cat([functional.adaptive_max_pool2d(maps, bins).flatten(1) for bins in (7, 3, 2, 1)], dim=1)
        for layer in (convolutions, convolutions + 1):
            units = rectify(functional.linear(units, self.w[layer], self.b[layer]), self.a[layer])
        return functional.linear(units, self.w[-1], self.b[-1])


def table_key(key, depth):
    kind, number = key.split(".")
    layer, tensor = int(number), "bias" if kind == "b" else "weight"
    part = "activation" if kind == "a" else "conv"
    if layer == 0:
        return f"stages.stem.{part}.{tensor}"
    if layer <= 3 * depth:
        stage, place = divmod(layer - 1, depth)
        return f"stages.stage{stage + 1}.{part}{place + 1}.{tensor}"
    return f"head.{'activation' if kind == 'a' else 'fc'}{layer - 3 * depth}.{tensor}"


REFERENCES = {
    name: Reference("second implementation", partial(Table3, channels), partial(table_key, depth=len(channels) // 3))
    for name, channels in COLUMNS.items()
}
