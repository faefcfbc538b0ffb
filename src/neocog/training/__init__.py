"""Training: from a recipe to a finished run, and on from where a kill left off."""

from neocog.training.train import resume, train

__all__ = ["resume", "train"]
