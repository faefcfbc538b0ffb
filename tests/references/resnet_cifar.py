"""Residual and plain networks for CIFAR-10, a second time."""

from functools import partial

from references.chain import Chain, chain_key
from references.reference import Reference


def reference(depth, adds):
    pairs = ((depth - 2) // 6,) * 3
    build = partial(Chain, (16, 32, 64), pairs, first=(3, 1, False), adds=adds, classes=10)
    return Reference("second implementation", build, chain_key(pairs, adds))


REFERENCES = {
    f"{'resnet' if adds else 'plain'}{depth}": reference(depth, adds) for depth in (20, 32, 44, 56, 110) for adds in (False, True)
}
