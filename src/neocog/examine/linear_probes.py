"""How linearly separable the classes are after each stage of a network.

G. Alain, Y. Bengio, "Understanding intermediate layers using linear classifier probes", 2016,
https://arxiv.org/abs/1610.01644

A probe is a logistic regression on what a stage makes of training pictures; the network itself does not change. The
features of a map are the means of its channels over the picture (global average pooling), so that their number does
not depend on the picture's size; those of a dense layer are its outputs.
"""

import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neocog.augment import place
from neocog.data.loader import Loader
from neocog.draw.line_chart import Axis, Line, line_chart
from neocog.engine import feature_maps, obeying
from neocog.errors import DataError, UsageError
from neocog.evaluation.answers import pictures_at_once, window
from neocog.files import write_atomically, write_json
from neocog.images import Picture, encode_png
from neocog.progress import Progress, Silent
from neocog.random import generator
from neocog.run import Trained
from neocog.targets import Labels

__all__ = ["PICTURES", "PROBES", "LinearProbes", "Probe", "linear_probes", "require_stages", "save_probes"]

PICTURES = 5_000
"""Training pictures that probes are fitted on, at most, unless another number is asked for."""

PROBES = VALUES, CHART = "linear_probes.json", "linear_probes.png"
"""Names of the files that `save_probes` writes; the first tells that the others are ours."""

STEPS = 1_000  # of the fit, at most


@dataclass(frozen=True)
class Probe:
    """The probe after one stage.

    Attributes:
        stage: its name.
        features: how many numbers the probe sees of each picture.
        accuracy: share of the evaluated pictures whose class the probe tells, in [0, 1].
        settled: whether the fit came to its end before its last step.
    """

    stage: str
    features: int
    accuracy: float
    settled: bool


@dataclass(frozen=True)
class LinearProbes:
    """The probes of a network, one for each stage, from the image on.

    Attributes:
        split: what the evaluated pictures are called.
        fitted: how many training pictures the probes were fitted on.
        pictures: how many were evaluated.
        probes: in the order of the stages.
        files: what was written of them.
    """

    split: str
    fitted: int
    pictures: int
    probes: tuple[Probe, ...]
    files: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds them."""
        return {
            "split": self.split,
            "fitted": self.fitted,
            "pictures": self.pictures,
            "features": "means of each map's channels; outputs of dense layers",
            "probes": [asdict(probe) for probe in self.probes],
            "files": [str(path) for path in self.files],
        }

    def draw(self, title: str) -> Picture:
        """The accuracy after each stage."""
        line = Line("", [(number, probe.accuracy) for number, probe in enumerate(self.probes)], dotted=True)
        stages = Axis("after the stage", names=tuple(probe.stage for probe in self.probes))
        return line_chart([line], title=title, x=stages, y=Axis("accuracy of a linear probe", least=0, most=1))


class _Fit(NamedTuple):
    """A fitted probe, and whether the fit came to its end before its last step."""

    model: Any
    settled: bool


def linear_probes(
    trained: Trained,
    loader: Loader,
    train: Int64[Tensor, "n"],
    asked: Int64[Tensor, "m"],
    *,
    split: str = "all",
    pictures: int = PICTURES,
    progress: Progress | None = None,
) -> LinearProbes:
    """Fit a probe after every stage to training pictures, and count what it tells right of others.

    Only the features of the training pictures are kept. The regression has a penalty of half the weights' squared
    length (scikit-learn's C = 1) and standardised features; it draws nothing at random.

    Args:
        trained: the network; its classes need not be those of the pictures.
        loader: of the dataset, whose classes the probes tell apart.
        train: pictures to fit on.
        asked: pictures to evaluate on.
        split: what these are called.
        pictures: most pictures to fit on; where there are more, the same share of every class is drawn.
        progress: told of every batch and every fit.

    Raises:
        UsageError: the network has no stages, the pictures have not one class each, or fewer than two are to be fitted on.
        DataError: the pictures to fit on are all of one class.
    """
    require_stages(trained)
    if pictures < 2:
        raise UsageError("at least 2 training pictures to fit linear probes on", str(pictures), f"give more, as {PICTURES}")
    progress = progress or Silent()
    classes = loader.dataset.class_indices()
    if classes is None:
        raise UsageError("pictures with one class each, for linear probes", f"data to {loader.dataset.task}", "leave the probes away")
    chosen = train[_drawn(classes[train], pictures)]
    if len(classes[chosen].unique()) < 2:
        found = f"one, in {len(chosen):,} training pictures"
        raise DataError("several classes for linear probes to tell apart", found, "fit them on more pictures")
    features = _gathered(trained, loader, chosen, progress)
    fits = {}
    progress.start("fitting linear probes", len(features))
    for stage in list(features):
        fits[stage] = _fitted(features.pop(stage), classes[chosen])
        progress.advance(1, stage)
    right = dict.fromkeys(fits, 0)
    progress.start(f"probing {split}", len(asked))
    for seen, truth in _features(trained, loader, asked):
        for stage, fit in fits.items():
            right[stage] += int((fit.model.predict(seen[stage].double().numpy()) == truth.numpy()).sum())
        progress.advance(len(truth))
    progress.done()
    probes = tuple(Probe(stage, int(fit.model.n_features_in_), right[stage] / len(asked), fit.settled) for stage, fit in fits.items())
    return LinearProbes(split, len(chosen), len(asked), probes)


def require_stages(trained: Trained) -> None:
    """Check that there is a place for a probe.

    Raises:
        UsageError: the network has no stages.
    """
    if not len(trained.model.stages):
        raise UsageError("a network with stages, for linear probes", f"{trained.name}, which has none", "leave the probes away")


def save_probes(folder: Path, found: LinearProbes, title: str) -> tuple[Path, ...]:
    """Write linear_probes.png and linear_probes.json.

    Returns:
        the files written.

    Raises:
        SurroundingsError: the folder cannot be written to.
    """
    write_json(folder / VALUES, {name: value for name, value in found.to_dict().items() if name != "files"})
    write_atomically(folder / CHART, encode_png(found.draw(title)))
    return tuple(folder / name for name in PROBES)


def _drawn(classes: Int64[Tensor, "n"], most: int) -> Int64[Tensor, "m"]:
    """Which of some pictures are fitted on: drawn at random, the same share of every class, and one of each where there is room."""
    order = torch.randperm(len(classes), generator=generator(0, "linear probes", 0))
    shares = torch.zeros(len(classes), dtype=torch.float64)
    for one in classes.unique():
        own = order[classes[order] == one]
        shares[own] = torch.arange(len(own), dtype=torch.float64) / len(own)
    return shares.argsort(stable=True)[:most].sort().values


def _gathered(trained: Trained, loader: Loader, indices: Int64[Tensor, "n"], progress: Progress) -> dict[str, Tensor]:
    """The features of pictures after every stage, by its name: float32 "n features"."""
    parts: dict[str, list[Tensor]] = {stage: [] for stage in trained.model.stages}
    progress.start("reading features of train", len(indices))
    for found, truth in _features(trained, loader, indices):
        for stage, rows in found.items():
            parts[stage].append(rows)
        progress.advance(len(truth))
    return {stage: torch.cat(rows) for stage, rows in parts.items()}


def _features(trained: Trained, loader: Loader, indices: Int64[Tensor, "n"]) -> Iterator[tuple[dict[str, Tensor], Int64[Tensor, "b"]]]:
    """Batch by batch the features after every stage, and the dataset's classes."""
    model, plan, size = trained.model.eval(), trained.plan, trained.preprocess.size
    fit = window(trained.task.fit(training=False))
    for rows in indices.split(pictures_at_once(size)):
        batch = place(loader.batch(rows), fit, size)
        if not isinstance(batch.targets, Labels):
            raise TypeError(f"probes need labels, found {type(batch.targets).__name__}")
        with torch.inference_mode(), obeying(plan):
            maps = feature_maps(model, batch.to(plan.device).images, plan, list(model.stages))
            found = {stage: _pooled(outputs).cpu() for stage, outputs in maps.items()}
        yield found, batch.targets.classes


def _pooled(outputs: Float[Tensor, "b c *places"]) -> Float[Tensor, "b c"]:
    return outputs.flatten(2).mean(dim=2) if outputs.ndim > 2 else outputs


def _fitted(features: Float[Tensor, "n c"], classes: Int64[Tensor, "n"]) -> _Fit:
    """A probe of standardised features."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # said of each probe by `settled`
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=STEPS)).fit(features.double().numpy(), classes.numpy())
    return _Fit(probe, int(probe[-1].n_iter_.max()) < STEPS)
