"""How a picture that evolves is written down: one file per encoding."""

from neocog.attack.encodings.member import ENCODINGS, Encoding, polynomial_mutation

__all__ = ["ENCODINGS", "Encoding", "polynomial_mutation"]
