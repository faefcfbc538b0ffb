"""Which loss classification takes, and how auxiliary heads count in it."""

import torch
from torch.nn import functional

from neocog.batch import Batch
from neocog.losses import squared_error
from neocog.models import create_model
from neocog.targets import Labels
from neocog.tasks.classify import Classify, ClassifyOptions

CLASSES = ("a", "b", "c")


def batch_of(classes):
    count = len(classes)
    labels = Labels(torch.tensor(classes), torch.tensor(classes), torch.ones(count))
    return Batch(torch.zeros(count, 1, 4, 4), labels, torch.arange(count), torch.full((count, 2), 4), torch.eye(3).repeat(count, 1, 1))


def loss_of(outputs, *, loss="auto", own="cross_entropy", auxiliary_weight=0.0):
    model = create_model("softmax_regression", num_classes=3, in_channels=1, image_size=(4, 4))
    model.loss, model.auxiliary_weight = own, auxiliary_weight
    return Classify(ClassifyOptions(loss=loss), CLASSES).loss(model, outputs, batch_of([0, 2]))["total"]


LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 1.0]])
OTHERS = torch.tensor([[0.0, 1.0, 0.0], [1.0, -1.0, 0.0]])
TRUTH = torch.tensor([0, 2])


def test_auxiliary_heads_count_by_the_networks_weight():
    expected = functional.cross_entropy(LOGITS, TRUTH) + 0.3 * 2 * functional.cross_entropy(OTHERS, TRUTH)
    found = loss_of({"logits": LOGITS, "aux1": OTHERS, "aux2": OTHERS}, auxiliary_weight=0.3)
    torch.testing.assert_close(found, expected)


def test_the_network_names_the_loss_unless_one_is_chosen():
    labels = batch_of([0, 2]).targets
    squares, entropy = squared_error(LOGITS, labels), functional.cross_entropy(LOGITS, TRUTH)
    assert not torch.isclose(squares, entropy)
    torch.testing.assert_close(loss_of({"logits": LOGITS}, own="squared_error"), squares)
    torch.testing.assert_close(loss_of({"logits": LOGITS}, own="squared_error", loss="cross_entropy"), entropy)
    torch.testing.assert_close(loss_of({"logits": LOGITS}, loss="squared_error"), squares)
