"""What a linear classifier looks for: the weights of each class as a picture."""

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.attack.linear import require_linear, weights_of
from neocog.draw.contact_sheet import contact_sheet
from neocog.examine.fooling import question_without_pictures
from neocog.examine.member import Sheet
from neocog.images import Picture
from neocog.run import Trained

__all__ = ["template_sheet", "templates"]

MOST_SHOWN = 30
COLUMNS = 5


def templates(trained: Trained, most: int = MOST_SHOWN) -> Float[Tensor, "k c h w"]:
    """The weights of the first classes on the image's scale, [0, 1]: a class's score is its template's sum over the image, and a constant.

    Args:
        trained: a linear classifier.
        most: how many classes at most.

    Raises:
        UsageError: the network is not linear in its image.
    """
    channels, size, device = trained.preprocess.channels, trained.preprocess.size, trained.plan.device
    draws = torch.Generator().manual_seed(0)
    anything = torch.rand(1, channels, *size, generator=draws).to(device)
    require_linear(question_without_pictures(trained), anything)
    return weights_of(question_without_pictures(trained), anything, most).cpu()


def template_sheet(trained: Trained) -> Sheet:
    """The templates of the classes, each scaled to its own largest weight: grey is no weight.

    Raises:
        UsageError: as `templates`.
    """
    weights = templates(trained)
    names = trained.class_names[: len(weights)]
    largest = weights.abs().flatten(1).amax(dim=1)
    captions = [f"{name}\nwhite is {most:+.3g}" for name, most in zip(names, largest.tolist(), strict=True)]
    pictures: list[Picture] = [_as_picture(one, float(most)) for one, most in zip(weights, largest, strict=True)]
    some = "" if len(names) == len(trained.class_names) else f", {len(names)} of {len(trained.class_names):,} classes"
    sheet = contact_sheet(pictures, captions, columns=COLUMNS, title=f"What {trained.name} weighs for each class{some}")
    words = "The weights of each class as a picture: white speaks for the class, black against it, mid-grey is of no account."
    return Sheet("templates", sheet, words)


def _as_picture(weights: Float[Tensor, "c h w"], largest: float) -> Picture:
    return ((weights / (2 * largest or 1.0) + 0.5) * 255).round().clamp(0, 255).to(torch.uint8)
