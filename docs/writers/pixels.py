"""Tables of what was measured of networks that answer for every pixel."""

from typing import Any

from writers.markdown import kept_result, measured_on, table, won

__all__ = ["crf", "pixel_prediction_speed", "pixel_training_speed"]


def crf() -> str:
    """The kept result of benchmarks/crf.py."""
    kept = kept_result("crf.json")
    height, width = kept["size"]
    differences = kept["differences"]
    rows = [
        (f"one picture of {width}×{height} pixels, {kept['classes']} classes, {kept['iterations']} iterations", f"{kept['seconds']:.2f} s"),
        ("mean absolute difference of the marginals, of five windows the largest", f"{max(differences):.4f}"),
    ]
    return table(("fully connected CRF", "measured"), rows) + measured_on(kept)


def pixel_training_speed() -> str:
    """The kept result of benchmarks/pixels.py: a row for each training."""
    kept = kept_result("pixels.json")
    rows = []
    for name, result in kept["results"].items():
        training = result["training"]
        plain, own = training["plain"], training["neocog"]
        rows.append(
            (
                f"{name}: `{training['model']}`, {_size(training['image_size'])}, {training['batch_size']} a step",
                f"{training['pictures']:,}",
                training["repeats"],
                f"{plain['steady']:.1f}",
                f"{own['steady']:.1f}",
                won(training["ratio"]),
                won(training["steady_ratio"], bold=False),
                _goal(training["goal"]),
                f"{plain['memory'] / 2**30:.2f} / {own['memory'] / 2**30:.2f}",
                _plan(training["plan"]),
            )
        )
    speeds = ("plain images/s", "neocog images/s", "ratio", "ratio, steady", "goal")
    return table(("training", "images", "runs", *speeds, "peak memory, GiB", "plan"), rows) + measured_on(kept)


def pixel_prediction_speed() -> str:
    """The kept result of benchmarks/pixels.py: a row for each size at which pictures are shown."""
    kept = kept_result("pixels.json")
    rows = (
        (
            f"{name}: `{row['model']}`",
            _size(row["source"]),
            "its own" if row["shown_at"] is None else _size(row["shown_at"]),
            f"{row['plain']:.3f}",
            f"{row['neocog']:.3f}",
            won(row["ratio"]),
            _goal(row["goal"]),
            f"{row['repeats']} of {row['pictures']} pictures",
            _plan(row["plan"]),
        )
        for name, result in kept["results"].items()
        for row in result["predictions"]
    )
    seconds = ("plain, s a picture", "neocog, s a picture", "ratio", "goal")
    return table(("prediction", "picture", "shown at", *seconds, "runs", "plan"), rows) + measured_on(kept)


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"


def _goal(goal: float | None) -> str:
    return "" if goal is None else f"{goal:g}"


def _plan(plan: dict[str, Any]) -> str:
    return ", ".join(str(value) for value in plan.values())
