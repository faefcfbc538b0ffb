"""How much worse a trained network is on corrupted pictures: what `neocog attack` does with corruptions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neocog.attack.corruptions import CORRUPTIONS, STRENGTHS
from neocog.batch import Batch
from neocog.draw.contact_sheet import contact_sheet
from neocog.draw.line_chart import Axis, Line, line_chart
from neocog.evaluation import read_material
from neocog.evaluation.answers import compute, taken_at_once
from neocog.examine.corruption_errors import CorruptionErrors, admitted_corruptions, corruption_errors, placed, spoilt
from neocog.examine.member import Asked, Findings, Sheet, Table
from neocog.examine.stress import STRESSES, Stress, StressRequest
from neocog.images import Picture
from neocog.random import generator
from neocog.run import RunFolder, Trained, load_run
from neocog.targets import Labels

__all__ = ["measure_corruptions", "some_of"]


def measure_corruptions(request: StressRequest) -> Findings:
    """Measure the network under every corruption at every strength.

    Raises:
        UsageError: an unknown corruption, one without meaning for the task, or a reference that is no run or for another task.
        DataError: the data cannot be used, or have classes that a network does not know.
    """
    ((_, options),) = request.methods.items()
    trained, seed, progress = request.trained, request.seed, request.progress
    names = admitted_corruptions(trained, options.corruptions)
    reference = None if options.reference is None else load_run(RunFolder.open(Path(options.reference)))
    if reference is not None:
        admitted_corruptions(reference, names)
    asked = request.open_data()
    asked = asked._replace(rows=some_of(asked.rows, request.pictures, seed))
    errors = corruption_errors(trained, asked, names, seed=seed, progress=progress)
    other = None
    if reference is not None:
        dataset = asked.material.dataset
        material = read_material(dataset, reference.task, reference.preprocess, allow_bad=True, progress=progress)
        other = corruption_errors(reference, asked._replace(material=material), names, seed=seed, progress=progress)
    return Findings(
        facts=_facts(errors, other),
        sheets=[
            Sheet("examples", _examples(trained, asked, names, seed), "One picture under every corruption."),
            Sheet("errors", _curve(errors), "The error at every strength; at first that of the clean pictures."),
        ],
        tables=[_table(errors)],
        lines=[*_lines(errors, other), *_notes(asked)],
    )


def some_of(rows: Int64[Tensor, "n"], most: int, seed: int) -> Int64[Tensor, "m"]:
    """At most so many pictures, drawn at random: those that attacks of the same seed take."""
    if len(rows) <= most:
        return rows
    drawn = torch.randperm(len(rows), generator=generator(seed, "attacked pictures", 0))
    return rows[drawn[:most].sort().values]


def _facts(errors: CorruptionErrors, reference: CorruptionErrors | None) -> dict[str, Any]:
    rows = [
        {
            "corruption": name,
            "strength": strength,
            "amount": errors.amounts[name, strength],
            "unit": CORRUPTIONS[name].unit,
            "error": error,
            "interval": None if (interval := errors.interval(error)) is None else list(interval),
        }
        for (name, strength), error in errors.errors.items()
    ]
    facts = {
        "split": errors.split,
        "pictures": errors.pictures,
        "measure": errors.measure,
        "clean_error": errors.clean,
        "mean_corruption_error": errors.mean,
        "corruptions": rows,
    }
    if reference is not None:
        facts["reference"] = {
            "model": reference.name,
            "clean_error": reference.clean,
            "mean_corruption_error": reference.mean,
            "mean_corruption_error_against_it": errors.against(reference),
            "relative_mean_corruption_error_against_it": errors.against(reference, relative=True),
        }
    return facts


def _table(errors: CorruptionErrors) -> Table:
    """A row for each corruption: the error at each strength with its interval, and the mean."""
    rows = []
    for name in errors.corruptions:
        cells = [_in_per_cent(errors, errors.errors[name, strength]) for strength in STRENGTHS]
        rows.append([name, *cells, f"{100 * errors.error(name):.1f}"])
    headings = ["corruption", *(f"strength {strength}" for strength in STRENGTHS), "mean"]
    title = f"{errors.measure} in per cent on {errors.pictures:,} pictures of {errors.split}; clean {_in_per_cent(errors, errors.clean)}"
    return Table(title, headings, rows, right=headings[1:])


def _in_per_cent(errors: CorruptionErrors, error: float) -> str:
    """The error, with the limits of its 95 % interval where it has one."""
    interval = errors.interval(error)
    limits = "" if interval is None else f" ({100 * interval[0]:.1f}–{100 * interval[1]:.1f})"
    return f"{100 * error:.1f}{limits}"


def _lines(errors: CorruptionErrors, reference: CorruptionErrors | None) -> list[str]:
    count = len(errors.corruptions)
    how = "mean over strengths" if count == 1 else f"mean over strengths, then over {count} corruptions"
    lines = [f"mean corruption error {errors.mean:.2%} ({how}); clean error {errors.clean:.2%}"]
    if errors.counted:
        lines.append("in brackets: 95 % intervals")
    if reference is not None:
        for word, relative in (("", False), ("relative ", True)):
            value = errors.against(reference, relative=relative)
            told = "has no meaning: under some corruption it makes no error more" if value is None else f"{value:.2%}"
            lines.append(f"{word}mean corruption error against {reference.name}: {told}")
    return lines


def _notes(asked: Asked) -> list[str]:
    """What a person should know before believing the numbers."""
    dataset = asked.material.dataset
    return list(dataset.notes) if dataset.name == "pictures" else []


def _curve(errors: CorruptionErrors) -> Picture:
    lines = [
        Line(
            name,
            [(0, errors.clean), *((strength, errors.errors[name, strength]) for strength in STRENGTHS)],
            dotted=True,
        )
        for name in errors.corruptions
    ]
    title = f"{errors.name} under corruptions: {errors.pictures:,} pictures of {errors.split}"
    strengths = Axis("strength", names=("clean", *map(str, STRENGTHS)))
    return line_chart(lines, title=title, x=strengths, y=Axis(errors.measure, least=0, most=1))


def _examples(trained: Trained, asked: Asked, names: Sequence[str], seed: int) -> Picture:
    """The first picture that is named rightly, or just the first, under every corruption, with the network's answers."""
    batch = placed(trained, asked.material, asked.rows[: taken_at_once(trained.task, trained.preprocess.size)])
    if isinstance(batch.targets, Labels):
        right = (_decisions(trained, batch)[0] == batch.targets.classes).nonzero()[:, 0]
        number = int(right[0]) if len(right) else 0
        batch = placed(trained, asked.material, asked.rows[number : number + 1])
    pictures, captions = [], []
    for name in names:
        for strength in (0, *STRENGTHS):
            seen = spoilt(batch, name, strength, seed) if strength else batch
            amount = CORRUPTIONS[name].amount(strength, *batch.pixels.shape[-2:]) if strength else 0
            pictures.append((seen.images[0] * 255).round().to(torch.uint8))
            captions.append((f"{name} {strength}: {amount:g}" if strength else "clean") + _answer(trained, seen))
    says = f", and what {trained.name} says" if trained.task_name == "classify" else ""
    return contact_sheet(pictures, captions, columns=1 + len(STRENGTHS), title=f"Corruptions at five strengths{says}")


def _answer(trained: Trained, batch: Batch) -> str:
    """What the network takes one picture for, on a line of its own; nothing where pixels are named."""
    if trained.task_name != "classify":
        return ""
    classes, confidences = _decisions(trained, batch)
    return f"\n{trained.class_names[int(classes[0])]} {float(confidences[0]):.0%}"


def _decisions(trained: Trained, batch: Batch) -> tuple[Int64[Tensor, "b"], Float[Tensor, "b"]]:
    """The classes that pictures are given, and the confidences in them."""
    probabilities = compute(trained.model.eval(), trained.plan, batch.to(trained.plan.device)).softmax(dim=1).cpu()
    return probabilities.argmax(dim=1), probabilities.amax(dim=1)


STRESSES.add("corruption", Stress(measure_corruptions))
