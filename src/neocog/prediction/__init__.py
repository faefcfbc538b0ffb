"""Asking a trained network about picture files."""

from neocog.prediction.predict import Answer, predict, save_drawings

__all__ = ["Answer", "predict", "save_drawings"]
