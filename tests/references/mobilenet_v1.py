"""MobileNet: timm's, with the paper's nonlinearity."""

import re
from functools import partial

import timm

from references.reference import Reference

OUTSIDE = {"conv_stem": "stages.stem.conv", "bn1": "stages.stem.norm", "classifier": "head.fc"}
LAYERS = {"conv_dw": "depthwise.conv", "bn1": "depthwise.norm", "conv_pw": "pointwise.conv", "bn2": "pointwise.norm"}


def key(theirs: str) -> str:
    """Ours from timm's."""
    block = re.fullmatch(r"blocks\.(\d)\.(\d)\.(\w+)\.(\w+)", theirs)
    if block:
        return f"stages.stage{int(block[1]) + 1}.{block[2]}.{LAYERS[block[3]]}.{block[4]}"
    layer, _, tensor = theirs.rpartition(".")
    return f"{OUTSIDE[layer]}.{tensor}"


REFERENCES = {"mobilenet_v1": Reference("timm", partial(timm.create_model, "mobilenetv1_100", act_layer="relu"), key)}
