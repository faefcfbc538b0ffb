"""Tables of what `neocog explain` can be asked for, and of what its benchmark measured."""

from neocog.examine import EXAMINATIONS
from neocog.explain import EXPLAINERS
from writers.markdown import kept_result, measured_on, options, table

__all__ = ["examinations", "explain_speed", "explainers"]


def explainers() -> str:
    """Every method of attribution with its options."""
    rows = (
        (f"`{name}`", member.summary, options(member.Options), "must fall" if member.must_fall else "is known not to", member.source)
        for name in EXPLAINERS
        for member in [EXPLAINERS[name]]
    )
    return table(("method", "what it shows", "options", "likeness with random weights", "source"), rows)


def examinations() -> str:
    """Every other method with its options."""
    rows = (
        (f"`{name}`", member.summary, member.takes, ", ".join(member.tasks), options(member.Options), member.source)
        for name in EXAMINATIONS
        for member in [EXAMINATIONS[name]]
        if not member.attributes
    )
    return table(("method", "what it shows", "looks at", "tasks", "options", "source"), rows)


def explain_speed() -> str:
    """The kept result of benchmarks/explain.py."""
    kept = kept_result("explain.json")
    rows = (
        (f"`{name}`", found["network"], f"{found['ours']:.2f}", f"{found['theirs']:.2f}", f"**{found['ratio']:.2f}**")
        for name, found in kept["results"].items()
    )
    seconds = f"{kept['occlusion_seconds']:.2f} s"
    said = f"\nOcclusion as it is by itself, {kept['positions']} places on a 224 px picture by mobilenet_v2: {seconds}.\n"
    return table(("method", "network", "neocog, s", "captum, s", "times as fast"), rows) + said + measured_on(kept)
