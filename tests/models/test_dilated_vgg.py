import torch

from neocog.models import MODELS, create_model, describe
from neocog.models.dilated_vgg import surround


def on_meta(name, **options):
    with torch.device("meta"):
        return create_model(name, **options)


CONVOLUTIONS = 14_714_688
"""Of VGG-16, with biases."""


def test_the_large_field_of_view_in_closed_form():
    dense = 1024 * (9 * 512 + 1) + 1024 * 1025 + 21 * 1025
    assert CONVOLUTIONS + dense == MODELS["deeplab_v1"].parameters
    assert round(MODELS["deeplab_v1"].parameters / 1e6, 1) == 20.5


def test_the_context_module_in_closed_form():
    front = MODELS["vgg16"].parameters - 4097 * 1000 + 4097 * 21
    context = 7 * (9 * 21 * 21 + 21) + 21 * 21 + 21
    assert front + context == MODELS["dilated_context"].parameters
    assert 7 * 9 + 1 == 64  # kernels for each pair of classes: the paper's 64 C²


def test_maps_stay_at_stride_8():
    for name in ("deeplab_v1", "dilated_context"):
        assert [info.stride for info in on_meta(name).stage_info] == [1, 2, 4, 8, 8]


def test_the_map_of_321_pixels_has_41_points():
    maps = on_meta("deeplab_v1").feature_maps(torch.empty(1, 3, 321, 321, device="meta"), ["stage5"])
    assert maps["stage5"].shape == (1, 512, 41, 41)


def test_the_field_of_view_is_as_large_as_the_paper_says():
    """fc6 sees 3 points, 12 apart, of a map at stride 8: table 1's 224 pixels more than the convolutions before it."""
    rows = {row.name: row for row in describe(on_meta("deeplab_v1")).layers if row.stage == "head"}
    assert rows["body.fc6"].receptive_field - rows["body.pool"].receptive_field == 2 * 12 * 8


def test_an_image_of_528_pixels_enters_as_900():
    assert surround(torch.empty(1, 3, 528, 528, device="meta")).shape == (1, 3, 900, 900)
    rows = {row.name: row for row in describe(on_meta("dilated_context"), (528, 528)).layers if row.stage == "head"}
    assert rows["body.front.scores"].output == (21, 66, 66)


def test_the_context_module_sees_67_points_and_begins_by_changing_nothing():
    head = on_meta("dilated_context").head
    rates = [layer.dilation[0] for name, layer in head.body.named_children() if name.startswith("context")]
    assert rates == [1, 1, 2, 4, 8, 16, 1, 1]
    assert 1 + 2 * sum(rates[:-1]) == 67  # table 1
    torch.manual_seed(0)
    body = torch.nn.Sequential(*list(create_small_context().children()))
    scores = torch.rand(2, 5, 9, 7)
    assert torch.equal(body(scores), scores)


def create_small_context():
    from neocog.models.dilated_vgg import Context

    return Context(torch.nn.Identity(), 5).body
