"""Tables of what was measured of networks that answer for every pixel."""

from writers.markdown import kept_result, measured_on, table

__all__ = ["crf"]


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
