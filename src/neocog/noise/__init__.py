"""What disturbs a picture: one file for each kind of noise that a network can learn to take away."""

from neocog.noise.member import NOISES, Noise

__all__ = ["NOISES", "Noise"]
