"""What autograd saves for a backward pass; of whole networks see test_describe."""

import torch
from torch import nn

from neocog.models import saved_for_backward


def test_what_is_kept_for_the_backward_pass_is_counted_without_weights():
    layer = nn.Linear(10, 20, bias=False)
    images = torch.zeros(7, 10, requires_grad=True)
    # A product keeps its input; the square its own input, which is the product's output.
    assert saved_for_backward(lambda: layer(images).square().sum(), layer.parameters()) == 4 * (7 * 10 + 7 * 20)


def test_one_tensor_that_two_operations_keep_counts_once():
    images = torch.zeros(5, requires_grad=True)

    def loss():
        return (images.sin() + images.cos()).sum()

    assert saved_for_backward(loss) == 4 * 5
