"""Fooling pictures of a trained network: what `neocog attack` does with methods that start from no picture."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int64
from numpy.typing import NDArray
from torch import Tensor

from neocog.attack import ATTACKS, Fooled, Fooling, Round
from neocog.batch import Batch
from neocog.draw.contact_sheet import contact_sheet
from neocog.draw.line_chart import Axis, Line, line_chart
from neocog.engine import obeying
from neocog.errors import UsageError
from neocog.examine.member import Findings, Sheet, Table
from neocog.examine.stress import STRESSES, Stress, StressRequest
from neocog.files import make_folder, write_atomically
from neocog.images import Picture, encode_png
from neocog.objective import Objective
from neocog.random import generator
from neocog.run import Trained

__all__ = ["Caught", "fool", "question_without_pictures"]

MOST_CLASSES = 12  # that a method works on unless it takes all or one is named
MOST_SHOWN = 30  # of the pictures, on the sheet and in the table
SURE = 0.99
COLUMNS = 6


@dataclass(frozen=True)
class Caught:
    """What one method came to.

    Attributes:
        method: its name.
        member: what it is.
        fooled: the pictures.
        confidences: in the class that each is for, computed anew in float32, in [0, 1].
    """

    method: str
    member: Fooling
    fooled: Fooled
    confidences: Float[Tensor, "n"]

    @property
    def sure(self) -> int:
        """How many are taken for their class with more than 99 % confidence."""
        return int((self.confidences > SURE).sum())

    def best(self) -> list[int]:
        """Places of the pictures with the highest confidences, each picture once, as many as are shown."""
        order = self.confidences.argsort(descending=True, stable=True).tolist()
        places, seen = [], set()
        for place in order:
            content = self.fooled.pixels[place].numpy().tobytes()
            if content not in seen:
                places.append(place)
            seen.add(content)
        return places[:MOST_SHOWN]


def fool(request: StressRequest) -> Findings:
    """Make fooling pictures by every method that is asked for, and measure what the network takes them for.

    Raises:
        UsageError: the network does not classify.
    """
    trained = request.trained
    if trained.task_name != "classify":
        expected, found = "a network that classifies, to be fooled by pictures of nothing", f"one for the task {trained.task_name}"
        raise UsageError(expected, found, "use another method, as pgd")
    caught = [_caught(request, name, options) for name, options in request.methods.items()]
    names = trained.class_names
    files = [path for one in caught for path in _kept(one, names, request.keep)]
    return Findings(
        facts={"fooling": [_facts(one, names) for one in caught], "files": [str(path) for path in files]},
        sheets=[sheet for one in caught for sheet in _sheets(one, trained)],
        tables=[_table(one, names) for one in caught],
        lines=[_summary(one) for one in caught],
        arrays={name: array for one in caught for name, array in _arrays(one).items()} if request.arrays else {},
    )


def _caught(request: StressRequest, name: str, options: Any) -> Caught:
    member = ATTACKS[name]
    if not isinstance(member, Fooling):
        raise TypeError(f"{name} does not start from nothing")
    trained = request.trained
    classes = _classes(trained, member, request.targeted)
    exact = question_without_pictures(trained)
    fast = exact
    if request.speed == "auto" and hasattr(exact, "computed_by"):
        fast = exact.computed_by(trained.model, trained.plan)
    draws = generator(request.seed, name, 0, device=trained.plan.device)
    shape = (trained.preprocess.channels, *trained.preprocess.size)
    request.progress.start(name.replace("_", " "), getattr(options, member.rounds) + 1)

    def tell(at: Round) -> None:
        request.progress.advance(1, f"median confidence {statistics.median(at.confidences):.4f}")

    with obeying(trained.plan):
        fooled = member.fool(fast, classes.to(trained.plan.device), shape, options, generator=draws, tell=tell)
        confidences = _confidences(exact, fooled)
    request.progress.done()
    return Caught(name, member, fooled, confidences)


def _classes(trained: Trained, member: Fooling, targeted: int | None) -> Int64[Tensor, "n"]:
    """Which classes pictures are made for."""
    count = len(trained.class_names)
    if targeted is not None:
        return torch.tensor([targeted])
    if member.all_classes or count <= MOST_CLASSES:
        return torch.arange(count)
    return torch.arange(MOST_CLASSES) * count // MOST_CLASSES


def question_without_pictures(trained: Trained, about: int | None = None) -> Any:
    """The objective about images of unknown class, or about one class of any images."""
    channels, (height, width) = trained.preprocess.channels, trained.preprocess.size
    nothing = Batch(
        pixels=torch.zeros(1, channels, height, width, dtype=torch.uint8),
        targets=None,
        keys=torch.zeros(1, dtype=torch.int64),
        source_sizes=torch.tensor([[height, width]]),
        to_input=torch.eye(3)[None],
    )
    return trained.task.objective(trained.model.eval(), nothing.to(trained.plan.device), about)


def _confidences(objective: Objective, fooled: Fooled) -> Float[Tensor, "n"]:
    found = []
    device = fooled.classes.device
    with torch.no_grad():
        for pixels, classes in zip(fooled.pixels.split(COLUMNS), fooled.classes.split(COLUMNS), strict=True):
            scores = objective.scores(pixels.to(device).float() / 255)
            found.append(scores.softmax(dim=1).gather(1, classes[:, None])[:, 0].cpu())
    return torch.cat(found)


def _facts(caught: Caught, names: Sequence[str]) -> dict[str, Any]:
    rows = zip(caught.fooled.classes.tolist(), caught.confidences.tolist(), strict=True)
    return {
        "method": caught.method,
        "classes": [{"name": names[index], "confidence": confidence} for index, confidence in rows],
        "over_99_percent": caught.sure,
        "median_confidence": float(caught.confidences.median()),
        caught.member.rounds: caught.fooled.curve[-1].number,
        "curve": [{"number": at.number, "median": statistics.median(at.confidences)} for at in caught.fooled.curve],
    }


def _summary(caught: Caught) -> str:
    count, rounds = len(caught.confidences), caught.fooled.curve[-1].number
    words = f"{caught.sure:,} of {count:,} classes with over 99 % confidence, median {float(caught.confidences.median()):.2%}"
    return f"{caught.method}: {words}, after {rounds:,} {caught.member.rounds}"


def _table(caught: Caught, names: Sequence[str]) -> Table:
    rows = [[names[int(caught.fooled.classes[place])], f"{float(caught.confidences[place]):.2%}"] for place in caught.best()]
    return Table(f"{caught.method}: what nothing is taken for", ["class", "confidence"], rows, right=["confidence"])


def _sheets(caught: Caught, trained: Trained) -> list[Sheet]:
    """The pictures, and the course of the search where it has one."""
    places, names = caught.best(), trained.class_names
    captions = [f"{names[int(caught.fooled.classes[place])]}\n{float(caught.confidences[place]):.2%}" for place in places]
    pictures: list[Picture] = [caught.fooled.pixels[place].cpu() for place in places]
    how = caught.method.removeprefix("fooling_").replace("_", " ")
    some = "" if len(places) == len(caught.confidences) else f", {len(places)} of {len(caught.confidences):,} classes"
    sheet = contact_sheet(pictures, captions, columns=COLUMNS, title=f"What {trained.name} takes these for: made by {how}{some}")
    explained = f"Pictures that show nothing, the class that {trained.name} takes each for, and its confidence."
    sheets = [Sheet(how.replace(" ", "_"), sheet, explained)]
    if len(caught.fooled.curve) > 1:
        sheets.append(Sheet(f"{how}_curve".replace(" ", "_"), _curve(caught, trained), "How the confidences rose."))
    return sheets


def _curve(caught: Caught, trained: Trained) -> Picture:
    course = caught.fooled.curve
    lines = [
        Line("median", [(at.number, statistics.median(at.confidences)) for at in course]),
        Line("mean", [(at.number, statistics.fmean(at.confidences)) for at in course]),
        Line("share over 99 %", [(at.number, sum(value > SURE for value in at.confidences) / len(at.confidences)) for at in course]),
    ]
    count = len(caught.confidences)
    title = f"{trained.name}: {caught.method.replace('_', ' ')}, {count:,} class{'es' if count > 1 else ''}"
    return line_chart(lines, title=title, x=Axis(caught.member.rounds), y=Axis("confidence of the best so far", least=0, most=1))


def _arrays(caught: Caught) -> dict[str, NDArray[Any]]:
    course = torch.tensor([at.confidences for at in caught.fooled.curve])
    parts = {"pixels": caught.fooled.pixels, "classes": caught.fooled.classes, "confidences": caught.confidences, "curve": course}
    return {f"{caught.method}_{name}": part.cpu().numpy() for name, part in parts.items()}


def _kept(caught: Caught, names: Sequence[str], folder: Path | None) -> list[Path]:
    """The pictures of the sheet as files, at the size at which the network was asked."""
    if folder is None:
        return []
    make_folder(folder)
    files = []
    for place in caught.best():
        index = int(caught.fooled.classes[place])
        name = "".join(sign if sign.isalnum() and sign.isascii() else "-" for sign in names[index].lower())
        files.append(folder / f"{caught.method}-{index:04d}-{name[:40]}.png")
        write_atomically(files[-1], encode_png(caught.fooled.pixels[place].cpu()))
    return files


STRESSES.add("fooling", Stress(fool, takes_class=True, takes_data=False))
