"""The checker that holds every call in the package against its annotations."""

from beartype import BeartypeConf, beartype

__all__ = ["typecheck"]

# As in every type checker, an int may stand where a float is wanted.
typecheck = beartype(conf=BeartypeConf(is_pep484_tower=True))
