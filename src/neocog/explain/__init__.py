"""Why a network decides as it does: one file per method, each seeing images in [0, 1], a module and an Objective, never a task."""

from neocog.explain.member import EXPLAINERS, Attribution, Explainer

__all__ = ["EXPLAINERS", "Attribution", "Explainer"]
