"""Looking into a trained network over pictures and datasets: why it decides, what it has learnt, where its classes come apart."""

from neocog.examine.linear_probes import LinearProbes, Probe, linear_probes
from neocog.examine.member import EXAMINATIONS, Examination, Explanation, Findings, Request
from neocog.examine.shift_consistency import ShiftConsistency, shift_consistency

__all__ = [
    "EXAMINATIONS",
    "Examination",
    "Explanation",
    "Findings",
    "LinearProbes",
    "Probe",
    "Request",
    "ShiftConsistency",
    "linear_probes",
    "shift_consistency",
]
