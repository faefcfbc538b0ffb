"""The perceptron, which learns from its mistakes alone.

F. Rosenblatt, "The Perceptron: A Probabilistic Model for Information Storage and Organization in the Brain",
1958, https://doi.org/10.1037/h0042519

Rosenblatt's machine has sensory units, association units wired to them at random and for good, and response
units that learn. As in most accounts since, the association units are left out: the response units see the
pixels. The responses exclude one another, so there is one for each class and the strongest wins. Stimuli
come at random. One that is answered rightly changes nothing; after a mistake the right response gains the
stimulus and the strongest wrong one loses it,

    w_right += rate x stimulus,    w_wrong -= rate x stimulus,

which for two classes is the perceptron of one threshold, and for more is the same procedure on Kesler's
construction (N. J. Nilsson, Learning Machines, 1965). A tie is a mistake: all weights begin at 0. No loss is
differentiated, and how far off a mistake was does not matter.

The rate falls as 1/t with the number t of corrections so far: delay/(delay + t), which is 1, 1/2, 1/3, ...
for a delay of 1. What follows from that:

Separable data. Where some unit weights u give every stimulus x (|x| <= R) a margin of m over the other
classes, each correction takes w at least m x rate further along u, and makes |w|^2 larger by at most
2 R^2 rate^2. So m x sum(rate) <= R x sqrt(2 sum(rate^2)). The left side grows as log t and the right one stays
bounded: corrections end, and every stimulus is answered rightly. For a constant rate that is Novikoff's bound
of 2 (R/m)^2 corrections; a delay in proportion to (R/m)^2 keeps it of that order.

Other data. There corrections never end, and what the weights come to is not the least error: in units of the
rate they keep walking about. Of all weights on the way the best are kept, by the pocket algorithm (S. I.
Gallant, "Perceptron-Based Learning Algorithms", 1990, https://doi.org/10.1109/72.80230): weights come into the
pocket when they have answered more drawn stimuli rightly in a row than those in it had, and make no more
mistakes on the batch. As every order of stimuli comes at some time, weights of least error on the training
set are met again and again, and their runs grow longer than any others'; with probability one they end up in
the pocket and stay where the batch is the whole set, and with smaller batches the probability that they are
there goes to one. The answers are those of the pocket.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from neocog.batch import Batch, Preprocess
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Learner, Network
from neocog.options import check, option
from neocog.targets import Labels

__all__ = ["Perceptron", "PerceptronOptions", "perceptron"]

AT_ONCE = 128  # stimuli whose products with one another are computed together


@dataclass(frozen=True)
class PerceptronOptions:
    """What can be chosen."""

    delay: float = option(1_000.0, "corrections after which the perceptron's learning rate has fallen to a half", above=0)

    def __post_init__(self) -> None:
        check(self)


class Responses(nn.Sequential):
    """The response units: flattened pixels to one number for each class, and all that learning has to remember.

    Attributes:
        fc: the weights in the pocket, which answer.
        walking: the weights that learn, "classes pixels+1"; the last column is the bias.
        corrections: how many there have been.
        run: stimuli answered rightly in a row by the weights that learn.
        longest: the run for which those in the pocket were put there.
    """

    walking: Tensor
    corrections: Tensor
    run: Tensor
    longest: Tensor

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(inputs, classes).requires_grad_(False)
        nn.init.zeros_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)
        self.register_buffer("walking", torch.zeros(classes, inputs + 1))
        for name in ("corrections", "run", "longest"):
            self.register_buffer(name, torch.zeros((), dtype=torch.int64))


class Perceptron(Learner):
    """One layer of response units that learn by Rosenblatt's rule.

    Args:
        spec: what is asked of it.
    """

    epochs = 10
    head: Responses

    def __init__(self, spec: ModelSpec) -> None:
        options: PerceptronOptions = spec.options
        responses = Responses(spec.in_channels * math.prod(spec.preprocess.size), spec.num_classes)
        super().__init__({}, responses, channels=(), preprocess=spec.preprocess, num_classes=spec.num_classes)
        self.delay = options.delay

    @property
    def input_layer(self) -> None:
        """None: the weights that learn cannot be adapted to other channels."""
        return

    @torch.no_grad()
    def update(self, batch: Batch, generator: torch.Generator) -> dict[str, float]:
        """Learn from as many stimuli as the batch has, drawn from it with repetition, one after the other.

        Returns:
            "loss", the share of stimuli that were answered wrongly when they came.

        Raises:
            TypeError: the batch has no labels.
        """
        if not isinstance(batch.targets, Labels):
            raise TypeError(f"expected labels to learn from, found {type(batch.targets).__name__}")
        pixels = self.preprocess.normalise(batch.images).flatten(1)
        stimuli = torch.cat([pixels, torch.ones_like(pixels[:, :1])], dim=1)
        labels = torch.where(batch.targets.share < 0.5, batch.targets.others, batch.targets.classes)
        drawn = torch.randint(len(stimuli), (len(stimuli),), generator=generator, device=generator.device).to(stimuli.device)
        mistakes = sum(self._learn(stimuli[rows], labels[rows], stimuli, labels) for rows in drawn.split(AT_ONCE))
        return {"loss": mistakes / len(stimuli)}

    def _learn(
        self, drawn: Float[Tensor, "m d"], classes: Int64[Tensor, "m"], stimuli: Float[Tensor, "n d"], labels: Int64[Tensor, "n"]
    ) -> int:
        """Present stimuli in their order; how many mistakes were made.

        Until the next correction the weights stand still, so all that remains is answered at once, and what a
        correction does to the answers is told by the products of the stimuli.
        """
        answers, products = drawn @ self.head.walking.T, drawn @ drawn.T
        row = mistakes = 0
        while row < len(drawn):
            wrong, strongest = _judge(answers[row:], classes[row:])
            first = int(wrong.byte().argmax()) if wrong.any() else len(wrong)
            self.head.run += first
            self._fill_pocket(stimuli, labels)
            row += first
            if row < len(drawn):
                rate = self.delay / (self.delay + int(self.head.corrections))
                for unit, change in ((int(classes[row]), rate), (int(strongest[first]), -rate)):
                    answers[row:, unit].add_(products[row, row:], alpha=change)
                    self.head.walking[unit].add_(drawn[row], alpha=change)
                self.head.corrections += 1
                self.head.run.zero_()
                mistakes += 1
                row += 1
        return mistakes

    def _fill_pocket(self, stimuli: Float[Tensor, "n d"], labels: Int64[Tensor, "n"]) -> None:
        """Put the weights that learn into the pocket if their run is the longest and they do not err more on the batch."""
        head = self.head
        if head.run <= head.longest:
            return
        pocket = torch.cat([head.fc.weight, head.fc.bias[:, None]], dim=1)
        if not torch.equal(head.walking, pocket):
            ours, theirs = (int(_judge(stimuli @ weights.T, labels)[0].sum()) for weights in (head.walking, pocket))
            if ours > theirs:
                return
            head.fc.weight.copy_(head.walking[:, :-1])
            head.fc.bias.copy_(head.walking[:, -1])
        head.longest.copy_(head.run)


def _judge(answers: Float[Tensor, "n k"], labels: Int64[Tensor, "n"]) -> tuple[Bool[Tensor, "n"], Int64[Tensor, "n"]]:
    """Whether each answer "n classes" is wrong, a tie being wrong too, and the strongest of its wrong responses."""
    right = answers.gather(1, labels[:, None])[:, 0]
    strongest = answers.scatter(1, labels[:, None], -math.inf).max(dim=1)
    return strongest.values >= right, strongest.indices


def perceptron(spec: ModelSpec) -> Network:
    """No stages; the response units are the head."""
    return Perceptron(spec)


MODELS.add_named(
    Entry(
        name="perceptron",
        build=perceptron,
        year=1958,
        paper="F. Rosenblatt, The Perceptron: A Probabilistic Model for Information Storage and Organization in the Brain, 1958, "
        "https://doi.org/10.1037/h0042519",
        preprocess=Preprocess((28, 28), (28, 28), channels=1, mean=(0.1307,), std=(0.3081,)),
        parameters=7_850,
        multiply_adds=7_840,
        Options=PerceptronOptions,
        min_size=1,
        channels=(1, 3, 4),
        classes=10,
        traits=frozenset(),
    ),
)
