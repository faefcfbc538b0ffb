"""Tables of denoising: every kind of noise, and the classical methods that a network is measured beside."""

from neocog.evaluation.baselines import BASELINES
from neocog.noise import NOISES
from writers.markdown import members, table

__all__ = ["baselines", "noises"]


def noises() -> str:
    """Every kind of noise with its option."""
    return members(NOISES)


def baselines() -> str:
    """Every classical method with its settings."""
    return table(("method", "settings"), ((name, BASELINES[name].settings) for name in BASELINES))
