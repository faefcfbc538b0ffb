"""The one place that decodes pictures, turns them upright, refuses bombs, resizes them, and writes them again.

A picture is an integer tensor "c h w": uint8 in [0, 255] or uint16 in [0, 65535], of any size, upright.
"""

from neocog.images.picture import Interpolation, Picture, Size, cover, encode_png, resize, to_channels, to_pil
from neocog.images.reading import SUFFIXES, Channels, Colours, Facts, decode, decode_mask, inspect, read

__all__ = [
    "SUFFIXES",
    "Channels",
    "Colours",
    "Facts",
    "Interpolation",
    "Picture",
    "Size",
    "cover",
    "decode",
    "decode_mask",
    "encode_png",
    "inspect",
    "read",
    "resize",
    "to_channels",
    "to_pil",
]
