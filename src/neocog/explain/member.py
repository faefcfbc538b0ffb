"""What a method is that tells how much each pixel of an image has to do with a network's answer, and the registry that finds it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

from neocog.registry import Registry

__all__ = ["EXPLAINERS", "Attribution", "Explainer"]


@dataclass(frozen=True)
class Attribution:
    """How much each pixel counts, for several images.

    Attributes:
        maps: one number a pixel, in no fixed range; within an image, a pixel with a larger number counts for more.
        signed: whether a number below 0 speaks against the answer; else none is below 0.
        figures: what the method measured of each image beside the map, by name, as "completeness_error".
    """

    maps: Float[Tensor, "b h w"]
    signed: bool
    figures: Mapping[str, Float[Tensor, "b"]] = field(default_factory=dict)


@dataclass(frozen=True)
class Explainer:
    """A method of attribution.

    Attributes:
        explain: `explain(module, objective, images, options, *, layer, generator) -> Attribution`. Images are float
            "b c h w" in [0, 1]; it asks about `Objective.score`, whose class must not depend on the images' values (see
            `neocog.examine.pictures`). The answer for an image depends on nothing else of the batch. Nothing of
            the module is changed, no mode, weight, gradient or hook; all draws come from the generator.
        Options: frozen dataclass of what can be chosen.
        summary: what it shows, in a few words.
        source: authors, year, title, link.
        layered: whether it looks at the feature map of a layer, whose dotted name in the module it must be told.
        gradient: whether it asks for gradients.
        must_fall: whether its maps must lose their likeness when the weights are randomised (Adebayo et al., 2018);
            False where it is known that they do not.
    """

    explain: Callable[..., Attribution]
    Options: type
    summary: str
    source: str
    layered: bool = False
    gradient: bool = True
    must_fall: bool = True


EXPLAINERS: Registry[Explainer] = Registry("a method of attribution", "neocog.explain")
