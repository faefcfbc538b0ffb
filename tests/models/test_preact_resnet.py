import torch
from torch import nn

from neocog.models import create_model, describe
from neocog.models.preact_resnet import PreActivationUnit


def on_meta(name):
    with torch.device("meta"):
        return create_model(name)


def test_the_convolutions_are_those_of_resnet18_and_cost_as_much():
    ours, other = on_meta("preact_resnet18"), on_meta("resnet18")
    shapes = [sorted(tuple(layer.weight.shape) for layer in network.modules() if isinstance(layer, nn.Conv2d)) for network in (ours, other)]
    assert shapes[0] == shapes[1]
    assert describe(ours).multiply_adds == describe(other).multiply_adds


def test_a_norm_stands_after_the_stem_before_each_other_convolution_and_at_the_end():
    units = [(64, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
    expected = [64] + [width for number, unit in enumerate(units) for width in (unit if number > 0 else unit[1:])] + [512]
    norms = [layer.num_features for layer in on_meta("preact_resnet18").modules() if isinstance(layer, nn.BatchNorm2d)]
    assert norms == expected
    without_norms = 11_689_512 - 2 * (64 + 4 * (64 + 128 + 256 + 512) + 128 + 256 + 512)  # of resnet18
    assert sum(parameter.numel() for parameter in on_meta("preact_resnet18").parameters()) == without_norms + 2 * sum(expected)


def test_shortcuts_carry_sums_untouched():
    model = create_model("preact_resnet18", num_classes=2).eval()
    with torch.no_grad():
        for unit in list(model.stages["layer1"])[1:]:
            unit.body.conv2.weight.zero_()
        maps = model.feature_maps(torch.randn(1, 3, 64, 64), ["stem", "layer1"])
    assert torch.equal(maps["layer1"], nn.functional.max_pool2d(maps["stem"], 3, 2, 1))


def test_the_maps_of_the_layers_are_sums_and_those_of_the_last_stage_are_activated():
    torch.manual_seed(0)
    model = create_model("preact_resnet18", num_classes=2).eval()
    with torch.no_grad():
        maps = model.feature_maps(torch.randn(1, 3, 64, 64), ["layer4", "last"])
    assert (maps["layer4"] < 0).any()
    assert torch.equal(maps["last"], model.stages["last"].norm(maps["layer4"]).relu())


def test_a_projection_sees_the_activated_maps_and_the_first_unit_activates_nothing():
    maps = torch.randn(2, 4, 6, 6)
    before = maps.clone()
    unit = PreActivationUnit(4, 8, 2)
    nn.init.zeros_(unit.body.conv2.weight)
    active = nn.functional.batch_norm(maps, None, None, training=True).relu()
    torch.testing.assert_close(unit(maps), nn.functional.conv2d(active, unit.shortcut.weight, stride=2))
    first = PreActivationUnit(4, 4, 1, activated=True)
    torch.testing.assert_close(first(maps), maps + first.body(maps))
    assert torch.equal(maps, before)
