"""How a network breaks: one file per method, each seeing images in [0, 1] and an Objective, never a model or a task."""

from neocog.attack.member import ATTACKS, NORMS, Attack, Bounded, Corruptions, Fooled, Fooling, Member, Norm, Round

__all__ = ["ATTACKS", "NORMS", "Attack", "Bounded", "Corruptions", "Fooled", "Fooling", "Member", "Norm", "Round"]
