"""Test-time augmentation: ways to see a picture several times, so that the answers can be averaged."""

from neocog.evaluation.views.see import canvas_of, chosen, see
from neocog.evaluation.views.view import VIEWS, View

__all__ = ["VIEWS", "View", "canvas_of", "chosen", "see"]
