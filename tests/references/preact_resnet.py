"""The residual network with pre-activation, a second time: convolutions and normalisations as two queues.

Written from figure 4 (e) and the appendix of https://arxiv.org/abs/1603.05027.
"""

from torch import Tensor, nn
from torch.nn import functional

from references.reference import Reference

UNITS = ((64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2), (512, 512, 1))
"""channels in, channels out, stride"""


class SecondPreActivation(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList([nn.Conv2d(3, 64, 7, 2, 3, bias=False)])
        self.norms = nn.ModuleList([nn.BatchNorm2d(64)])
        for number, (into, out, stride) in enumerate(UNITS):
            if number > 0:
                self.norms.append(nn.BatchNorm2d(into))
            if into != out:
                self.convolutions.append(nn.Conv2d(into, out, 1, stride, bias=False))
            self.convolutions.append(nn.Conv2d(into, out, 3, stride, 1, bias=False))
            self.norms.append(nn.BatchNorm2d(out))
            self.convolutions.append(nn.Conv2d(out, out, 3, 1, 1, bias=False))
        self.norms.append(nn.BatchNorm2d(512))
        self.classes = nn.Conv2d(512, 1000, 1)

    def forward(self, images: Tensor) -> Tensor:
        convolve, normalise = iter(self.convolutions), iter(self.norms)
        maps = functional.max_pool2d(next(normalise)(next(convolve)(images)).relu(), 3, 2, 1)
        for number, (into, out, _) in enumerate(UNITS):
            active = maps if number == 0 else next(normalise)(maps).relu()
            past = maps if into == out else next(convolve)(active)
            inner = next(normalise)(next(convolve)(active)).relu()
            maps = past + next(convolve)(inner)
        means = next(normalise)(maps).relu().mean(dim=(2, 3), keepdim=True)
        return self.classes(means).flatten(1)

    def load_state_dict(self, state, *arguments, **options):
        """With the linear layer's matrix as kernels of one point."""
        matrix = state["classes.weight"]
        return super().load_state_dict({**state, "classes.weight": matrix.reshape(*matrix.shape[:2], 1, 1)}, *arguments, **options)


def names() -> dict[str, str]:
    """Our name of each layer by theirs."""
    convolutions, norms = ["stages.stem.conv"], ["stages.stem.norm"]
    for number, (into, out, _) in enumerate(UNITS):
        unit = f"stages.layer{number // 2 + 1}.{number % 2}"
        norms += ([f"{unit}.before.norm"] if number > 0 else []) + [f"{unit}.body.between.norm"]
        convolutions += ([f"{unit}.shortcut"] if into != out else []) + [f"{unit}.body.conv1", f"{unit}.body.conv2"]
    norms.append("stages.last.norm")
    found = {f"convolutions.{number}": name for number, name in enumerate(convolutions)}
    return found | {f"norms.{number}": name for number, name in enumerate(norms)} | {"classes": "head.fc"}


NAMES = names()


def key(theirs: str) -> str:
    layer, _, tensor = theirs.rpartition(".")
    return f"{NAMES[layer]}.{tensor}"


REFERENCES = {"preact_resnet18": Reference("second implementation", SecondPreActivation, key)}
