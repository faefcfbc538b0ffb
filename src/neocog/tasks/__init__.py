"""What differs between tasks, nothing more: loss, decoding, metrics, objective, drawing."""

from neocog.tasks.task import TASKS, Task

__all__ = ["TASKS", "Task"]
