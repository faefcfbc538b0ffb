import pytest
import torch
from torch.nn import functional

from neocog.layers import batch_norm, group_norm, instance_norm, layer_norm, normalise

MAPS = torch.randn(4, 6, 5, 3, dtype=torch.float64) * 3 + 1
SCALE, SHIFT = torch.randn(2, 6, dtype=torch.float64)
NONE = (None, None)


@pytest.mark.parametrize(("scale", "shift"), [NONE, (SCALE, SHIFT)])
def test_all_equal_torchs(scale, shift):
    pairs = [
        (batch_norm(MAPS, scale, shift), functional.batch_norm(MAPS, None, None, scale, shift, training=True)),
        (instance_norm(MAPS, scale, shift), functional.instance_norm(MAPS, weight=scale, bias=shift)),
        (layer_norm(MAPS, scale, shift), functional.group_norm(MAPS, 1, scale, shift)),
        (group_norm(MAPS, 3, scale, shift), functional.group_norm(MAPS, 3, scale, shift)),
        (group_norm(MAPS, 6, scale, shift), functional.instance_norm(MAPS, weight=scale, bias=shift)),
    ]
    for ours, theirs in pairs:
        torch.testing.assert_close(ours, theirs)


def test_layer_norm_is_torchs_without_scale_and_shift():
    torch.testing.assert_close(layer_norm(MAPS, epsilon=0.1), functional.layer_norm(MAPS, MAPS.shape[1:], eps=0.1))


def test_normalising_over_the_channels_alone():
    theirs = functional.layer_norm(MAPS.permute(0, 2, 3, 1), (6,)).permute(0, 3, 1, 2)
    torch.testing.assert_close(normalise(MAPS, (1,)), theirs)


@pytest.mark.parametrize(
    ("norm", "axes"),
    [(batch_norm, (0, 2, 3)), (layer_norm, (1, 2, 3)), (instance_norm, (2, 3))],
)
def test_mean_and_variance_over_the_axes_it_names(norm, axes):
    out = norm(MAPS, epsilon=0.0)
    torch.testing.assert_close(out.mean(axes), torch.zeros_like(out.mean(axes)))
    torch.testing.assert_close(out.var(axes, correction=0), torch.ones_like(out.mean(axes)))


def test_constant_values_give_the_shift():
    assert torch.equal(batch_norm(torch.full((2, 6, 3, 3), 7.0).double(), SCALE, SHIFT)[1, :, 2, 2], SHIFT)


def test_only_batch_norm_depends_on_the_other_samples():
    for norm in (layer_norm, instance_norm):
        torch.testing.assert_close(norm(MAPS)[:1], norm(MAPS[:1]))
    assert not torch.allclose(batch_norm(MAPS)[:1], batch_norm(MAPS[:1]))
