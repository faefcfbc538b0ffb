import torch

from neocog.layers import pooled_classifier


def test_the_logits_are_linear_in_each_channels_mean():
    head = pooled_classifier(5, 3)
    maps = torch.randn(2, 5, 4, 6)
    expected = maps.mean(dim=(2, 3)) @ head.fc.weight.T + head.fc.bias
    torch.testing.assert_close(head(maps), expected)


def test_dropout_is_there_when_it_is_asked_for():
    head = pooled_classifier(100, 100, dropout=0.5)
    torch.nn.init.eye_(head.fc.weight)
    torch.nn.init.zeros_(head.fc.bias)
    logits = head(torch.ones(1, 100, 2, 2))
    assert set(logits.flatten().tolist()) == {0.0, 2.0}
    assert torch.equal(head.eval()(torch.ones(1, 100, 2, 2)), torch.ones(1, 100))
