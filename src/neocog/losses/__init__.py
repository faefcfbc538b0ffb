"""What training makes smaller."""

from neocog.losses.cross_entropy import cross_entropy

__all__ = ["cross_entropy"]
