"""What differs between tasks, nothing more: loss, decoding, metrics, objective, drawing."""

from neocog.tasks.task import TASKS, Averages, Task

__all__ = ["TASKS", "Averages", "Task"]
