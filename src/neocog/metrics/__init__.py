"""How good the answers are."""

from neocog.metrics.base import Metrics
from neocog.metrics.classification import ClassificationMetrics, bootstrap_interval, wilson_interval

__all__ = ["ClassificationMetrics", "Metrics", "bootstrap_interval", "wilson_interval"]
