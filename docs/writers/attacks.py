"""Tables of attacks on pictures, and of how fast they are."""

from neocog.attack import ATTACKS, Attack
from writers.markdown import kept_result, measured_on, options, table

__all__ = ["attack_speed", "attacks"]


def attacks() -> str:
    """Every attack that starts from a picture."""
    found = {name: ATTACKS[name] for name in ATTACKS}
    rows = (
        (
            f"`{name}`",
            member.summary,
            " ".join(member.norms),
            "stays inside epsilon" if member.bounded else "searches the least change",
            "yes" if member.targeted else "no",
            _own_options(member),
            member.source,
        )
        for name, member in found.items()
        if isinstance(member, Attack)
    )
    return table(("name", "what it does", "norms", "kind", "aims at a class", "options", "source"), rows)


def _own_options(member: Attack) -> str:
    """Those that have a flag of their own."""
    lines = [line for line in options(member.Options).split("<br>") if not line.startswith(("`epsilon`", "`norm`"))]
    return "<br>".join(lines) or "none"


def attack_speed() -> str:
    """The kept result of benchmarks/attack.py."""
    kept = kept_result("attack.json")
    rows = (
        (
            f"{row['epsilon'] * 255:.0f}/255",
            name,
            f"{row['seconds'][name]:.1f}",
            f"{row['fooled'][name]:.1%}",
            f"**{row['seconds']['torchattacks'] / row['seconds'][name]:.1f}**",
        )
        for row in kept["rows"]
        for name in row["seconds"]
    )
    conditions = (
        f"\n{kept['pictures']:,} pictures, {kept['steps']} steps, batches of {kept['batch']}, {kept['rounds']} rounds in turn; medians. "
        f"Gradients by {kept['plan']}; the share fooled is within {kept['far']:.2%} of float32's gradients.\n"
    )
    return table(("epsilon", "who", "seconds", "fooled", "times as fast"), rows) + conditions + measured_on(kept)
