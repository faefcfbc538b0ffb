"""Denoising: the picture as it was before it was disturbed."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, make_dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neocog.augment.resample import as_float
from neocog.batch import Batch, Fit
from neocog.draw.strip import LONGEST_SIDE, difference, strip
from neocog.engine import forward
from neocog.engine.plan import Plan
from neocog.errors import RecipeError, UsageError
from neocog.images import Picture, to_channels
from neocog.losses import RESTORATION_LOSSES
from neocog.metrics.base import Metrics
from neocog.metrics.restoration import Known, RestorationMetrics, psnr, ssim
from neocog.models.network import Network
from neocog.noise import NOISES
from neocog.options import check, option, options_of
from neocog.random import generator, seed_of
from neocog.registry import closest
from neocog.targets import Clean, Cleans, Prediction, Target
from neocog.tasks.task import TASKS

__all__ = ["LARGEST_WHOLE", "Denoise", "DenoiseObjective", "DenoiseOptions", "middle", "quantised"]

LOST = 1.0
"""Decibels that an attack must cost for the answer to count as wrong."""

LARGEST_WHOLE = 2048
"""Pixels to a side; of a larger picture a strip shows the middle."""

LEAST_ERROR = 1e-10  # mean squared: 100 decibels, the most that is counted


@dataclass(frozen=True)
class _Chosen:
    """What can be chosen about learning to denoise; to it come the options of all kinds of noise."""

    noise: str = option("gaussian", f"what disturbs clean pictures: {', '.join(NOISES)}", flag="NAME")
    loss: Literal["squared", "l1", "charbonnier"] = option("squared", "distance to the clean picture that training makes smaller")
    patches_per_picture: int = option(16, "patches that an epoch shows of each training picture", low=1)

    def __post_init__(self) -> None:
        check(self)
        if self.noise not in NOISES:
            raise RecipeError("the name of a kind of noise", repr(self.noise), closest(self.noise, NOISES.names()))
        for name in NOISES:
            member = NOISES[name].Options
            own = {item.name: getattr(self, item.name) for item in fields(member)}
            level = member(**own)
            if level != member() and name != self.noise:
                raise _of_another_noise(self.noise, list(own), name)


def _of_another_noise(kind: str, options: Sequence[str], owner: str) -> RecipeError:
    expected, found = f"options of the noise {kind}", f"{', '.join(options)} of {owner}"
    return RecipeError(expected, found, f"leave it out, or choose --noise {owner}")


DenoiseOptions = make_dataclass("DenoiseOptions", (), bases=(_Chosen, *(NOISES[name].Options for name in NOISES)), frozen=True)
"""See `_Chosen`."""


class Denoise:
    """See Task. Outputs are restored images "b c h w" on the scale [0, 1], which they may leave."""

    Options: ClassVar[type] = DenoiseOptions
    geometry: ClassVar[Literal["affine", "exact"]] = "exact"

    def __init__(self, options: Any, class_names: tuple[str, ...]) -> None:
        self.options = options
        self.class_names = class_names
        self.showings = int(options.patches_per_picture)
        self.noise = NOISES[options.noise]
        self.level = self.noise.Options(**{item.name: getattr(options, item.name) for item in fields(self.noise.Options)})

    @property
    def deviation(self) -> float | None:
        """The standard deviation of the noise on the scale [0, 1], where it is one number."""
        return self.noise.deviation(self.level)

    @property
    def noise_choices(self) -> dict[str, Any]:
        """The kind of noise and its level, as the options name them: "noise" and, of gaussian noise, "sigma"."""
        return {"noise": self.options.noise, **{item.name: getattr(self.level, item.name) for item in fields(self.level)}}

    def with_noise(self, choices: Mapping[str, Any]) -> "Denoise":
        """The same task with other noise.

        Args:
            choices: some of `noise_choices`. A level that is not among them stays where the kind of noise does, and is
                else the usual one of its kind.

        Raises:
            RecipeError: an unknown kind, a level of another kind, or a value that it does not admit.
        """
        kind = choices.get("noise", self.options.noise)
        stays = self.noise_choices if kind == self.options.noise else {}
        others = {item.name: getattr(self.options, item.name) for item in fields(_Chosen)}
        options: Any = options_of(DenoiseOptions, {**others, **stays, **choices}, "the noise")
        for name in NOISES:
            foreign = [item.name for item in fields(NOISES[name].Options) if name != kind and item.name in choices]
            if foreign:
                raise _of_another_noise(kind, foreign, name)
        return Denoise(options, self.class_names)

    def fit(self, training: bool) -> Fit:
        """Patches in training; whole pictures in prediction."""
        return "crop" if training else "native"

    def disturb(self, batch: Batch, seed: int, epoch: int | None) -> Batch:
        """Add noise to clean pictures; those that have theirs stay as they are.

        In training the noise goes by seed, epoch and key. Else it goes by the clean picture's own pixels, so that
        every network is asked about the same noisy picture, whatever the dataset is called and holds beside it.
        """
        cleans = batch.targets
        if not isinstance(cleans, Cleans) or cleans.disturbed:
            return batch
        images = as_float(batch.pixels)
        noisy = torch.empty_like(images, memory_format=torch.contiguous_format)
        sizes = [tuple(images.shape[2:])] * len(batch) if epoch is not None else batch.source_sizes.tolist()
        for row, (key, (height, width)) in enumerate(zip(batch.keys.tolist(), sizes, strict=True)):
            if epoch is None:
                draws = generator(0, "noise of a picture", 0, _number_of(cleans.pixels[row, :, :height, :width]), device=images.device)
            else:
                draws = generator(seed, "noise", epoch, key, device=images.device)
            noisy[row] = images[row]
            noisy[row, :, :height, :width] = self.noise.disturb(self.level, images[row, :, :height, :width], draws)
        return replace(batch, pixels=noisy, targets=replace(cleans, disturbed=True))

    def loss(self, model: Network, outputs: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        """The chosen distance between the restored patches and the clean ones."""
        loss = RESTORATION_LOSSES[self.options.loss]
        return {"total": loss(outputs["logits"], as_float(_cleans(batch).pixels), batch.valid)}

    def weight(self, batch: Batch) -> float:
        """The number of patches."""
        return float(len(batch))

    def decode(self, outputs: Tensor, batch: Batch) -> list[Prediction]:
        """The restored pictures at their own size and depth, rounded."""
        return [Prediction(Clean(picture)) for picture in _pictures(outputs, batch)]

    def average(self, outputs: Sequence[Float[Tensor, "b c h w"]]) -> Float[Tensor, "b c h w"]:
        """The mean of the restored pictures, before they are rounded."""
        total = outputs[0].clone()
        for other in outputs[1:]:
            total += other
        return total.div_(len(outputs))

    def compare(self, metrics: Metrics[Any, Any], outputs: Tensor, batch: Batch, truth: Callable[[int], Target]) -> None:
        """Restored and noisy pictures against the clean ones, all rounded to the clean one's depth."""
        clean = [picture.cpu() for picture in _pictures(_cleans(batch).pixels, batch)]
        noisy = _pictures(batch.pixels, batch)
        metrics.update(_pictures(outputs, batch), Known(clean, noisy))

    def judged(self, prediction: Prediction, target: Target) -> dict[str, float]:
        """PSNR and SSIM of one restored picture."""
        restored, clean = prediction.answer, target
        if not isinstance(restored, Clean) or not isinstance(clean, Clean):
            raise TypeError(f"denoising needs pictures, found {type(restored).__name__} and {type(clean).__name__}")
        known = to_channels(clean.picture, 1 if len(restored.picture) == 1 else 3)
        return {"psnr": psnr(known, restored.picture), "ssim": ssim(known, restored.picture)}

    def metrics(self) -> RestorationMetrics:
        """PSNR is primary; higher is better."""
        return RestorationMetrics()

    def objective(self, model: Network, batch: Batch, targeted: int | None = None) -> "DenoiseObjective":
        """See DenoiseObjective; the clean pictures are taken from the batch.

        Raises:
            UsageError: a class is asked for; there are none.
        """
        if targeted is not None:
            raise UsageError("a question about the picture as a whole", f"the class {targeted}", "leave the target class out")
        return DenoiseObjective(model, batch.images, as_float(batch.targets.pixels) if isinstance(batch.targets, Cleans) else None)

    def draw(self, picture: Picture, prediction: Prediction, target: Target | None = None) -> Picture:
        """Before, after and what was taken away side by side; where the clean picture is known, that too and what is still wrong.

        A picture whose target says that it is clean itself is shown with the noise of its evaluation. Of a large picture the
        middle is shown, because noise cannot be seen in one that is shrunk; `picture` may then be its `middle`.
        """
        if not isinstance(prediction.answer, Clean):
            raise TypeError(f"denoising answers with pictures, found {type(prediction.answer).__name__}")
        restored = prediction.answer.picture
        if isinstance(target, Clean) and not target.disturbed:
            picture = self._as_evaluated(to_channels(target.picture, 1 if len(restored) == 1 else 3))
        height, width = restored.shape[1:]
        picture, restored = middle(picture), middle(restored)
        whole = restored.shape[1:] == (height, width)
        place = "" if whole else f"\n{restored.shape[2]}x{restored.shape[1]} pixels in the middle of {width}x{height}"
        shown = [(f"before{place}", picture), ("after", restored), _difference("taken away", picture, restored)]
        if isinstance(target, Clean):
            clean = middle(target.picture)
            shown += [("clean", clean), _difference("still wrong", restored, clean)]
        captions, pictures = zip(*shown, strict=True)
        return strip(pictures, captions)

    def _as_evaluated(self, clean: Picture) -> Picture:
        """A clean picture with the noise that an evaluation adds to it."""
        size, key = torch.tensor([clean.shape[1:]]), torch.zeros(1, dtype=torch.int64)
        batch = Batch(as_float(clean[None]), Cleans(clean[None], disturbed=False), key, size, torch.eye(3)[None])
        return quantised(self.disturb(batch, 0, None).pixels[0], 8 if clean.dtype == torch.uint8 else 16)


TASKS.add("denoise", Denoise)


class DenoiseObjective:
    """See Objective. Computed in float32, so that gradients are exact.

    Where the clean pictures are not known, what the network restored from the images at first stands for them.

    Args:
        model: in evaluation mode.
        images: noisy ones in [0, 1], before anything was done to them.
        clean: on the same scale; None where they are not known.
    """

    def __init__(self, model: Network, images: Float[Tensor, "b c h w"], clean: Float[Tensor, "b c h w"] | None = None) -> None:
        self._model = model
        self._plan = Plan(device=next(model.parameters()).device.type, threads=torch.get_num_threads())
        with torch.no_grad():
            restored = forward(model, images, self._plan)
            self._clean = restored if clean is None else clean
            self._before = _decibels(restored, self._clean)

    def scores(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k"]:
        """One score: the peak signal-to-noise ratio of the restored picture, in decibels, at most 100."""
        return self.score(images)[:, None]

    def score(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b"]:
        """See `scores`."""
        return _decibels(forward(self._model, images, self._plan), self._clean)

    def loss(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b"]:
        """The mean squared difference between the restored picture and the clean one."""
        return (forward(self._model, images, self._plan) - self._clean).square().mean(dim=(1, 2, 3))

    def fooled(self, images: Float[Tensor, "b c h w"]) -> Bool[Tensor, "b"]:
        """Whether the restored picture is worse by a decibel or more than that of the images as they were."""
        with torch.no_grad():
            return self.score(images) <= self._before - LOST

    def select(self, rows: Int64[Tensor, "n"]) -> "DenoiseObjective":
        """The same question about some of the images; rows may repeat."""
        other = object.__new__(DenoiseObjective)
        other._model, other._plan = self._model, self._plan
        other._clean, other._before = self._clean[rows], self._before[rows]
        return other


def quantised(images: Float[Tensor, "*leading h w"], depth: Literal[8, 16]) -> Picture:
    """Images on the scale [0, 1] as integers of a depth, rounded, with what leaves the scale cut off."""
    scaled = images * (255 if depth == 8 else 65535)
    return scaled.round().clamp(0, 255 if depth == 8 else 65535).to(torch.uint8 if depth == 8 else torch.uint16)


def middle(picture: Picture) -> Picture:
    """What a strip shows of a picture: of one with more than 2,048 pixels to a side as many in its middle as it draws one by one."""
    if max(picture.shape[1:]) <= LARGEST_WHOLE:
        return picture
    top, left = (max(0, (side - LONGEST_SIDE) // 2) for side in picture.shape[1:])
    return picture[:, top : top + LONGEST_SIDE, left : left + LONGEST_SIDE]


def _decibels(restored: Tensor, clean: Tensor) -> Float[Tensor, "b"]:
    return -10 * (restored - clean).square().mean(dim=(1, 2, 3)).clamp(min=LEAST_ERROR).log10()


def _pictures(images: Tensor, batch: Batch) -> list[Picture]:
    """Images or pixels of a batch as pictures at their own sizes and the depth of the batch."""
    known = batch.targets.pixels if isinstance(batch.targets, Cleans) else batch.pixels
    depth: Literal[8, 16] = 8 if known.dtype == torch.uint8 else 16
    sizes = batch.source_sizes.tolist()
    parts = [image[:, :height, :width].cpu() for image, (height, width) in zip(images, sizes, strict=True)]
    return [quantised(part, depth) if part.is_floating_point() else part for part in parts]


def _difference(name: str, first: Picture, second: Picture) -> tuple[str, Picture]:
    shown, gain = difference(first, second)
    return name if gain == 1 else f"{name}\nmagnified {gain} times", shown


def _cleans(batch: Batch) -> Cleans:
    if not isinstance(batch.targets, Cleans):
        raise TypeError(f"denoising needs clean pictures, found {type(batch.targets).__name__}")
    return batch.targets


def _number_of(picture: Tensor) -> int:
    """A number that goes by a picture's pixels alone."""
    digest = hashlib.blake2b(picture.cpu().contiguous().numpy().tobytes(), digest_size=8).digest()
    return seed_of(int.from_bytes(digest, "little"), "picture", *picture.shape)
