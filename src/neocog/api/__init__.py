"""What `import neocog` gives: training, evaluation and prediction, as on the command line."""

from neocog.api.run import Run, open_run, pretrained
from neocog.api.training import resume, train

__all__ = ["Run", "open_run", "pretrained", "resume", "train"]
