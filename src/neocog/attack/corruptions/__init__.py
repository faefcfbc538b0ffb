"""Ways to spoil an image without looking at the network, at five strengths each: one file per corruption."""

from neocog.attack.corruptions.member import CORRUPTIONS, STRENGTHS, Corruption, Options, corrupted

__all__ = ["CORRUPTIONS", "STRENGTHS", "Corruption", "Options", "corrupted"]
