"""Tables of what trainings take: of memory with many pictures, forecast beside seen, and where their time goes."""

from writers.markdown import kept_result, measured_on, table

__all__ = ["memory_forecast", "scale_memory", "time_shares"]


def scale_memory() -> str:
    """The kept result of benchmarks/scale.py: what grows with the number of pictures."""
    kept = kept_result("scale.json")
    memory, listing = kept["memory"], kept.get("listing")
    rows = (
        (f"{row['pictures']:,}", f"{row['peak'] / 2**20:,.0f}", f"{row['bytes_a_picture']:.0f}" if row["bytes_a_picture"] else "")
        for row in memory["rows"]
    )
    found = f"\n{memory['pixel_bytes_a_picture']} bytes of each picture are its pixels."
    if listing is not None:
        times = [f"{listing[key]:.1f} s" for key in ("first_seconds", "after_seconds")]
        where = f"{listing['files']:,} files in {listing['folders']:,} folders"
        found += f" {where} are listed in {times[0]} the first time and {times[1]} after."
    return table(("pictures", "peak, MiB", "bytes for each further picture"), rows) + f"{found}\n" + measured_on(kept)


def memory_forecast() -> str:
    """The kept result of benchmarks/forecast.py: forecast and measured memory of trainings."""
    kept = kept_result("forecast.json")
    rows = (
        (
            f"`{name}`",
            f"{row['size']}×{row['size']}",
            row["batch_size"],
            *(f"{row[key] / 2**20:,.0f}" for key in ("forecast", "measured")),
            f"**{row['ratio']:.2f}**",
        )
        for name, row in kept["results"].items()
    )
    headings = ("network", "image", "pictures a step", "forecast, MiB", "measured, MiB", "ratio")
    return table(headings, rows) + f"\nProcesses of each: {kept['repeats']}; medians.\n" + measured_on(kept)


def time_shares() -> str:
    """The kept result of benchmarks/scale.py: the shares of the parts of a training's time."""
    kept = kept_result("scale.json")
    found = kept["shares"]["trainings"]
    parts = list(next(iter(found.values())))
    rows = ((name, *(f"{shares[part]:.1%}" for part in parts)) for name, shares in found.items())
    return table(("training", *parts), rows) + measured_on(kept)
