"""What batch normalisation is worth: the accuracy that each learning rate comes to, with it and without.

    uv run python benchmarks/learning_rates.py [--dataset fashion-mnist] [--epochs 2] [--seeds 2] [--rates RATE ...]
        [--out docs/benchmarks/learning_rates.json] [--picture docs/images/learning-rates.png]

S. Ioffe, C. Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
2015, https://arxiv.org/abs/1502.03167, say that it lets much higher learning rates be used. Here `small_convnet` is
trained with and without it (its option `norm`), by stochastic gradient descent with momentum 0.9 at a constant rate, from
random weights, without augmentation. The accuracy is that on the validation pictures after the last epoch. A training
that diverged, as neocog tells it, has none; in the means it counts as a guess.
"""

import argparse
import math
import statistics
import tempfile
from pathlib import Path
from typing import Any

from kept import keep, measured_on

import neocog
from neocog.draw.line_chart import Axis, Line, line_chart
from neocog.errors import DivergedError
from neocog.files import write_atomically
from neocog.images import encode_png

NORMS = {"batch": "with batch normalisation", "none": "without"}
RATES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 10.0)
CLOSE = 0.02  # of the best accuracy: the rates that work


def main() -> None:
    """Train at every rate, and print, keep and draw the accuracies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="fashion-mnist")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--width", type=int, default=16, help="channels of the network's first block")
    parser.add_argument("--rates", type=float, nargs="+", default=RATES)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    guess = 1 / len(neocog.open_dataset(arguments.dataset).class_names)
    rows = []
    for rate in sorted(arguments.rates):
        for norm, words in NORMS.items():
            found = [accuracy(arguments, norm, rate, seed) for seed in range(arguments.seeds)]
            mean = statistics.fmean(guess if one is None else one for one in found)
            rows.append({"norm": norm, "rate": rate, "accuracies": found, "mean": mean})
            print(f"{rate:<6g} {words:26} {mean:.4f}  {['diverged' if one is None else round(one, 4) for one in found]}", flush=True)
    working = {norm: working_rates(rows, norm) for norm in NORMS}
    for norm, (least, most) in working.items():
        print(f"{NORMS[norm]}: within {CLOSE:g} of its best accuracy from {least:g} to {most:g}, a factor of {most / least:.0f}")
    choices = {name: getattr(arguments, name) for name in ("dataset", "epochs", "seeds", "width")}
    facts = {**measured_on(), **choices}
    if arguments.out:
        kept = {**facts, "guess": guess, "close": CLOSE, "working": working, "rows": rows}
        keep(arguments.out, kept)
    if arguments.picture:
        write_atomically(arguments.picture, picture(rows, arguments))


def accuracy(arguments: argparse.Namespace, norm: str, rate: float, seed: int) -> float | None:
    """On the validation pictures after the last epoch; None where the training diverged."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            run = neocog.train(
                arguments.dataset,
                out=Path(folder) / "run",
                model="small_convnet",
                norm=norm,
                width=arguments.width,
                epochs=arguments.epochs,
                optimizer="sgd_momentum",
                schedule="constant",
                learning_rate=rate,
                augment=(),
                seed=seed,
                progress=False,
            )
        except DivergedError:
            return None
        trained = run.trained.folder
        if trained is None:
            raise RuntimeError("the training left no run")
        return trained.metrics()[-1]["val/accuracy"]


def working_rates(rows: list[dict[str, Any]], norm: str) -> tuple[float, float]:
    """The least and the most of the rates around the best whose accuracies are all close to its."""
    own = [row for row in rows if row["norm"] == norm]
    best = max(range(len(own)), key=lambda place: own[place]["mean"])
    least = most = best
    enough = own[best]["mean"] - CLOSE
    while least > 0 and own[least - 1]["mean"] >= enough:
        least -= 1
    while most + 1 < len(own) and own[most + 1]["mean"] >= enough:
        most += 1
    return own[least]["rate"], own[most]["rate"]


def picture(rows: list[dict[str, Any]], arguments: argparse.Namespace) -> bytes:
    """The mean accuracy over the rate as a PNG file, a curve for each norm."""
    lines = [Line(words, [(row["rate"], row["mean"]) for row in rows if row["norm"] == norm], dotted=True) for norm, words in NORMS.items()]
    rates = [row["rate"] for row in rows]
    ends = [10.0 ** rounded(math.log10(bound)) for bound, rounded in ((min(rates), math.floor), (max(rates), math.ceil))]
    title = f"small_convnet on {arguments.dataset}, {arguments.epochs} epoch{'s' if arguments.epochs > 1 else ''}"
    axis = Axis("learning rate", logarithmic=True, least=ends[0], most=ends[1])
    return encode_png(line_chart(lines, title=title, x=axis, y=Axis("validation accuracy", least=0, most=1)))


if __name__ == "__main__":
    main()
