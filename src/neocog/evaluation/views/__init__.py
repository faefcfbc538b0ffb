"""Test-time augmentation: ways to see a picture several times, so that the answers can be averaged."""

from neocog.evaluation.views.see import canvas_of, chosen, see
from neocog.evaluation.views.view import VIEWS, View
from neocog.evaluation.views.whole import Orientation, Seen, orientations, require_whole, see_whole

__all__ = ["VIEWS", "Orientation", "Seen", "View", "canvas_of", "chosen", "orientations", "require_whole", "see", "see_whole"]
