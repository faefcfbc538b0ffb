"""Where a training's epochs can be shown by another program, one file each."""

from neocog.training.loggers.member import LOGGERS, Logger, LoggerMember, points

__all__ = ["LOGGERS", "Logger", "LoggerMember", "points"]
