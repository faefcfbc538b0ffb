"""Global average pooling and one linear layer: the classifier of most networks since 2014.

M. Lin, Q. Chen, S. Yan, "Network In Network", 2014, https://arxiv.org/abs/1312.4400, section 3.2
"""

from torch import nn

__all__ = ["pooled_classifier"]


def pooled_classifier(channels: int, num_classes: int, dropout: float = 0.0) -> nn.Sequential:
    """The mean of each channel over the picture, then a linear layer to the logits.

    Args:
        channels: channels of the last stage.
        num_classes: number of logits.
        dropout: probability of zeroing a channel's mean while training.
    """
    head = nn.Sequential()
    head.add_module("pool", nn.AdaptiveAvgPool2d(1))
    head.add_module("flatten", nn.Flatten())
    if dropout > 0:
        head.add_module("dropout", nn.Dropout(dropout))
    head.add_module("fc", nn.Linear(channels, num_classes))
    return head
