"""The table of what large pictures take of memory."""

from writers.markdown import kept_result, measured_on, table

__all__ = ["large_pictures"]


def large_pictures() -> str:
    """The kept result of benchmarks/large_pictures.py: a row for each case."""
    kept = kept_result("large_pictures.json")
    rows = (
        (
            name,
            found["network"],
            f"{found['side']:,}×{found['side']:,}, {'grey' if found['channels'] == 1 else 'colour'}",
            f"{found['file'] / 1e6:,.0f} MB",
            f"**{found['peak'] / 1e9:.2f} GB**",
        )
        for name, found in kept["results"].items()
    )
    return table(("`neocog predict --save`", "network", "picture", "its file", "peak memory"), rows) + measured_on(kept)
