"""What differs between tasks, nothing more: loss, decoding, metrics, objective, drawing."""

from neocog.tasks.abilities import Counts, HasProbabilities, Judges, Scales, Watches
from neocog.tasks.task import TASKS, Averages, Task

__all__ = ["TASKS", "Averages", "Counts", "HasProbabilities", "Judges", "Scales", "Task", "Watches"]
