"""What is told, drawn and kept of attacks on pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from neocog.attack import Norm
from neocog.draw.canvas import fit_into, to_picture
from neocog.draw.figure import Panel, figure
from neocog.draw.line_chart import Axis, Line, line_chart
from neocog.engine import Plan
from neocog.examine.member import Asked, Findings, Sheet, Table
from neocog.examine.onslaught import EXAMPLES, LEVELS, Example, Onslaught, Tally, epsilon_in_words
from neocog.examine.sanity import Check
from neocog.examine.stress import StressRequest
from neocog.files import make_folder, write_atomically
from neocog.images import Picture, encode_png

__all__ = ["Report", "kept", "report"]

CELL = 224  # side of a picture on a sheet, in pixels
MOST_DECIMALS = 4


class Report(NamedTuple):
    """All that was found out.

    Attributes:
        request: what was asked.
        asked: the pictures that could be attacked.
        onslaughts: one for each method.
        clean: before any attack.
        checks: of the attacks.
        plan: how gradients were computed; None for plain float32.
        notes: what a person should know.
    """

    request: StressRequest
    asked: Asked
    onslaughts: Sequence[Onslaught]
    clean: Tally
    checks: Sequence[Check]
    plan: Plan | None
    notes: Sequence[str]

    @property
    def about(self) -> str:
        """Network, data and number of pictures."""
        dataset, count = self.asked.material.dataset, self.clean.pictures
        where = dataset.name if self.asked.split == "all" else f"{dataset.name}, {self.asked.split}"
        return f"{self.request.trained.name} on {where}, {count:,} picture{'s' if count > 1 else ''}"


def report(made: Report, files: Sequence[Path]) -> Findings:
    """Tables, curves, sheets and numbers.

    Args:
        made: what was found out.
        files: of the attacked pictures, where they were kept.
    """
    return Findings(
        facts=_facts(made, files),
        sheets=[*_curves(made), *_sheets(made)],
        tables=_tables(made),
        lines=_lines(made),
        arrays=_arrays(made) if made.request.arrays else {},
    )


def kept(made: Report, folder: Path) -> list[Path]:
    """Write the examples of every attack as PNG files of the network's input size, before and after.

    Raises:
        SurroundingsError: the folder cannot be written to.
    """
    make_folder(folder)
    files = []
    for one in made.onslaughts:
        for tally in one.tallies:
            for example in tally.examples:
                stem = f"{one.method}-{one.norm}-{_in_name(tally.epsilon)}-{example.key:06d}"
                for kind, pixels in (("before", example.image), ("after", example.changed)):
                    files.append(folder / f"{stem}-{kind}.png")
                    write_atomically(files[-1], encode_png(_stored(pixels)))
    return files


def _facts(made: Report, files: Sequence[Path]) -> dict[str, Any]:
    request, clean = made.request, made.clean
    targeted = None if request.targeted is None else request.trained.class_names[request.targeted]
    return {
        "dataset": made.asked.material.dataset.name,
        "split": made.asked.split,
        "pictures": clean.pictures,
        "targeted": targeted,
        "gradients": "cpu float32" if made.plan is None else made.plan.describe(),
        "clean": _row(made, clean),
        "attacks": [_onslaught(made, one) for one in made.onslaughts],
        "checks": [{"check": one.name, "holds": one.holds, "found": one.found} for one in made.checks],
        "notes": list(made.notes),
        "pictures_written": [str(path) for path in files],
    }


def _onslaught(made: Report, one: Onslaught) -> dict[str, Any]:
    facts: dict[str, Any] = {"method": one.method, "norm": one.norm, "rows": [_row(made, tally) for tally in one.tallies]}
    if not one.member.bounded:
        median = one.median()
        facts |= {
            "median_distance": median if median is not None and np.isfinite(median) else None,
            "found": len(one.distances),
            "lost": one.lost,
        }
    return facts


def _row(made: Report, tally: Tally) -> dict[str, Any]:
    row: dict[str, Any] = {"epsilon": tally.epsilon, "accuracy": tally.accuracy, "interval": list(tally.interval())}
    if tally is not made.clean:
        row["accuracy_as_png"] = tally.right_as_file / tally.pictures
    if made.request.targeted is not None:
        row["fooled"] = tally.fooled / tally.pictures
        row |= {} if tally is made.clean else {"fooled_as_png": tally.fooled_as_file / tally.pictures}
    if made.request.transfer_to is not None:
        row["accuracy_transferred"] = tally.right_elsewhere / tally.pictures
    if tally.examples and tally.examples[0].answers is not None:
        row["examples"] = [_told(made, example) for example in tally.examples]
    return row


def _told(made: Report, example: Example) -> dict[str, Any]:
    """A picture with the network's answers and their confidences, before and after."""
    names = [made.request.trained.class_names[index] for index in example.answers or ()]
    return {"picture": made.asked.material.dataset.where(example.key), "answers": names, "confidences": list(example.confidences)}


def _tables(made: Report) -> list[Table]:
    targeted, second = made.request.targeted is not None, made.request.transfer_to
    headings = ["method", "norm", "epsilon", "accuracy", "95 % interval", "read again from PNG"]
    headings += ["fooled", "fooled from PNG"] if targeted else []
    headings += [f"accuracy of {_named(made)}"] if second is not None else []
    rows = [_cells(made, "clean", "", made.clean, "0")]
    for one in made.onslaughts:
        rows += [_cells(made, one.method, one.norm, tally, epsilon_in_words(tally.epsilon, one.norm)) for tally in one.tallies]
    tables = [Table(made.about, headings, rows, right=headings[2:])]
    least = [one for one in made.onslaughts if not one.member.bounded]
    if least:
        cells = [[one.method, one.norm, _distance(one.median()), f"{len(one.distances):,}", f"{one.lost:,}"] for one in least]
        heads = ["method", "norm", "median distance", "found", "not found"]
        tables.append(Table("the least change that fools", heads, cells, right=heads[2:]))
    return tables


def _cells(made: Report, method: str, norm: str, tally: Tally, epsilon: str) -> list[str]:
    low, high = tally.interval()
    before = tally is made.clean
    cells = [method, norm, epsilon, f"{tally.accuracy:.4f}", f"{low:.4f} to {high:.4f}"]
    cells.append("" if before else f"{tally.right_as_file / tally.pictures:.4f}")
    if made.request.targeted is not None:
        cells += [f"{tally.fooled / tally.pictures:.4f}", "" if before else f"{tally.fooled_as_file / tally.pictures:.4f}"]
    if made.request.transfer_to is not None:
        cells.append(f"{tally.right_elsewhere / tally.pictures:.4f}")
    return cells


def _named(made: Report) -> str:
    second = made.request.transfer_to
    if second is None:
        return ""
    return second.name if second.folder is None else second.folder.path.name


def _lines(made: Report) -> list[str]:
    """Notes, and what does not hold; where all holds, that it does."""
    failed = [f"warning: {check.found}" for check in made.checks if not check.holds]
    small = [epsilon for epsilon in made.request.epsilons if epsilon < 1 / LEVELS]
    if small:
        failed.insert(0, f"warning: epsilon {small[0]:.4g} is below one grey level (1/255): no 8-bit picture can hold the change")
    passed = [] if any(not check.holds for check in made.checks) else [f"checks: {len(made.checks)} of the attacks, all hold"]
    plan = [] if made.plan is None else [f"gradients by {made.plan.describe()}; every answer in float32"]
    return [*made.notes, *plan, *failed, *passed]


def _distance(value: float | None) -> str:
    return "" if value is None else f"{value:.{MOST_DECIMALS}g}"


def _curves(made: Report) -> list[Sheet]:
    """Accuracy against epsilon, one chart for each norm."""
    sheets = []
    for norm in dict.fromkeys(one.norm for one in made.onslaughts):
        own = [one for one in made.onslaughts if one.norm == norm]
        scale, unit = (LEVELS, "in grey levels of 255") if norm == "linf" else (1, "on the scale 0 to 1")
        lines = []
        for one in own:
            tallies = [made.clean, *one.tallies]
            points = [(tally.epsilon * scale, tally.accuracy) for tally in tallies]
            lines.append(Line(one.method, points, dotted=True, intervals=[tally.interval() for tally in tallies]))
        x = Axis(f"epsilon, {norm}, {unit}", least=0)
        chart = line_chart(lines, title=f"Under attack: {made.about}", x=x, y=Axis("accuracy, with 95 % intervals", least=0, most=1))
        caption = f"Share of the pictures that are named rightly after an attack inside a ball of radius epsilon ({norm})."
        sheets.append(Sheet(f"accuracy_{norm}", chart, caption))
    return sheets


def _sheets(made: Report) -> list[Sheet]:
    """Of each method some pictures, what was added to them, and what became of them, at the least epsilon that gives enough."""
    sheets = []
    for one in made.onslaughts:
        enough = [tally for tally in one.tallies if len(tally.examples) == EXAMPLES]
        tally = enough[0] if enough else max(one.tallies, key=lambda tally: len(tally.examples))
        if tally.examples:
            radius = epsilon_in_words(tally.epsilon, one.norm)
            title = f"{made.request.trained.name} attacked by {one.method}, {one.norm}, epsilon {radius}"
            rows = [_panels(made, one.norm, example, first=number == 0) for number, example in enumerate(tally.examples)]
            notes = ["What is added is drawn as grey where it is nothing, and enlarged as it says."]
            name = f"{one.method}_{one.norm}"
            sheets.append(Sheet(name, figure(rows, title=title, notes=notes), f"Pictures before and after {one.method}."))
    return sheets


def _panels(made: Report, norm: Norm, example: Example, *, first: bool) -> list[Panel]:
    change = example.changed - example.image
    most = float(change.abs().max())
    factor = 0.5 / most if most else 1.0
    size = most * LEVELS if norm == "linf" else float(change.norm())
    words = f"at most {size:.1f} of 255" if norm == "linf" else f"length {size:.3g}"
    shown = ((example.image, _answer(made, example, 0)), (0.5 + factor * change, f"times {factor:.3g}\n{words}"))
    heads = ("picture", "what is added", "attacked picture")
    parts = (*shown, (example.changed, _answer(made, example, 1)))
    return [Panel(_shown(pixels), caption, head if first else "") for (pixels, caption), head in zip(parts, heads, strict=True)]


def _answer(made: Report, example: Example, place: int) -> str:
    if example.answers is None:
        return "right" if place == 0 else "fooled"
    return f"{made.request.trained.class_names[example.answers[place]]}\n{example.confidences[place]:.1%}"


def _stored(pixels: torch.Tensor) -> Picture:
    """As an 8-bit picture holds it."""
    return (pixels * LEVELS).round().clamp(0, LEVELS).to(torch.uint8)


def _shown(pixels: torch.Tensor) -> Picture:
    return to_picture(fit_into(_stored(pixels), (CELL, CELL)))


def _arrays(made: Report) -> dict[str, NDArray[Any]]:
    """Whether each picture is misnamed, by its place in the dataset; the examples in full precision."""
    arrays: dict[str, NDArray[Any]] = {"clean_wrong": torch.cat(made.clean.rows).numpy()}
    for one in made.onslaughts:
        for tally in one.tallies:
            name = f"{one.method}_{one.norm}_{_in_name(tally.epsilon)}"
            arrays[f"{name}_wrong"] = torch.cat(tally.rows).numpy()
            if tally.examples:
                arrays[f"{name}_keys"] = np.array([example.key for example in tally.examples])
                arrays[f"{name}_before"] = torch.stack([example.image for example in tally.examples]).numpy()
                arrays[f"{name}_after"] = torch.stack([example.changed for example in tally.examples]).numpy()
        if not one.member.bounded:
            arrays[f"{one.method}_{one.norm}_distances"] = np.array(one.distances)
    return arrays


def _in_name(epsilon: float) -> str:
    return f"{epsilon:.4f}".replace(".", "")
