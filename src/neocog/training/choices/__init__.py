"""What a training takes where its recipe leaves something open; one file for each task."""

from neocog.training.choices.member import CHOICES, Choices, choices_of

__all__ = ["CHOICES", "Choices", "choices_of"]
