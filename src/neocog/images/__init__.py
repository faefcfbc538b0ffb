"""The one place that decodes pictures, turns them upright, refuses bombs, resizes them, and writes them again.

A picture is an integer tensor "c h w": uint8 in [0, 255] or uint16 in [0, 65535], of any size, upright.
"""

from neocog.images.picture import Interpolation, Picture, Size, cover, resize, to_channels, to_one_depth, to_pil
from neocog.images.png import Chunk, encode_png, metadata_of
from neocog.images.reading import SUFFIXES, Channels, Colours, Facts, decode, decode_mask, inspect, read

__all__ = [
    "SUFFIXES",
    "Channels",
    "Chunk",
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
    "metadata_of",
    "read",
    "resize",
    "to_channels",
    "to_one_depth",
    "to_pil",
]
