"""Initial weights, drawn from torch's global generator.

K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet
Classification", 2015, https://arxiv.org/abs/1502.01852, section 2.2
X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010,
https://proceedings.mlr.press/v9/glorot10a.html, equation 16
"""

from torch import nn

__all__ = ["initialise_convolutions", "initialise_for", "initialise_linears", "initialise_truncated"]


def initialise_convolutions(module: nn.Module) -> None:
    """He's normal weights, with the variance that keeps the size of gradients (fan out); biases 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def initialise_linears(module: nn.Module, std: float = 0.01) -> None:
    """Normal weights of one standard deviation; biases 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0.0, std)
            nn.init.zeros_(layer.bias)


def initialise_for(module: nn.Module, activation: str) -> None:
    """Weights of convolutions and linear layers that suit an activation: He's for relu, Glorot's else; biases 0."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            if activation == "relu":
                nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
            else:
                nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def initialise_truncated(module: nn.Module, std: float) -> None:
    """Normal weights of one standard deviation, within [-2, 2]; biases stay torch's."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.trunc_normal_(layer.weight, 0.0, std, a=-2.0, b=2.0)
