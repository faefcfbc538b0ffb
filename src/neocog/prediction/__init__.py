"""Asking a trained network, or several together, about picture files."""

from neocog.prediction.predict import Answer, Answers, predict, save_drawings

__all__ = ["Answer", "Answers", "predict", "save_drawings"]
