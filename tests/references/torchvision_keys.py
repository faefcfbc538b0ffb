"""How this project's names follow from torchvision's, for references that have torchvision's networks inside."""

import re

__all__ = ["resnet_key"]


def resnet_key(name: str) -> str:
    """Of a ResNet without its last layer."""
    if name.startswith(("conv1.", "bn1.")):
        return "stages.stem." + name.replace("conv1.", "conv.").replace("bn1.", "norm.")
    name = re.sub(r"\.conv(\d)\.", lambda found: f".body.{int(found[1]) - 1}.conv.", name)
    name = re.sub(r"\.bn(\d)\.", lambda found: f".body.{int(found[1]) - 1}.norm.", name)
    return "stages." + name.replace("downsample.0.", "shortcut.conv.").replace("downsample.1.", "shortcut.norm.")
