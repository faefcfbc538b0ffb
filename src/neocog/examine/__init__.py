"""Looking into a trained network over a whole dataset: where its classes come apart, and what moves its answers."""

from neocog.examine.linear_probes import LinearProbes, Probe, linear_probes
from neocog.examine.shift_consistency import ShiftConsistency, shift_consistency

__all__ = ["LinearProbes", "Probe", "ShiftConsistency", "linear_probes", "shift_consistency"]
