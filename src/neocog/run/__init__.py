"""The run folder: the contract between training and everything that comes after it."""

from neocog.run.folder import RunFolder
from neocog.run.trained import Trained, load_run, make_on_the_spot

__all__ = ["RunFolder", "Trained", "load_run", "make_on_the_spot"]
