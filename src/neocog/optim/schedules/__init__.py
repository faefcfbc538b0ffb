"""How the learning rate changes over a training, one file each."""

from neocog.optim.schedules.member import SCHEDULES, ScheduleMember, learning_rate_factor

__all__ = ["SCHEDULES", "ScheduleMember", "learning_rate_factor"]
