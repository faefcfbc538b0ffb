"""Rules by which weights follow their gradients, one file each."""

from neocog.optim.optimizers.member import OPTIMIZERS, OptimizerMember

__all__ = ["OPTIMIZERS", "OptimizerMember"]
