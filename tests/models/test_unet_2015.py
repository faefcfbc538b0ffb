import pytest
import torch

from neocog.models import create_model, describe
from neocog.models.unet_2015 import surround


def on_meta(**options):
    with torch.device("meta"):
        return create_model("unet_2015", in_channels=1, **options)


def test_maps_have_the_sizes_of_figure_1():
    network = on_meta()
    tile = torch.empty(1, 1, 572, 572, device="meta")
    assert [maps.shape[-1] for maps in network.feature_maps(tile, list(network.stages)).values()] == [568, 280, 136, 64, 28]
    assert surround(torch.empty(1, 1, 388, 388, device="meta")).shape == (1, 1, 572, 572)


def test_there_are_23_convolutional_layers():
    rows = [row for row in describe(on_meta()).layers if "conv" in row.kind]
    assert len(rows) == 23
    assert [row.output[1] for row in rows if row.stage == "head"][-3:] == [390, 388, 388]


@pytest.mark.parametrize("size", [(1, 1), (4, 5), (100, 51)])
def test_all_of_the_image_is_answered_for(size):
    network = on_meta(num_classes=3)
    assert network(torch.empty(2, 1, *size, device="meta")).shape == (2, 3, *size)
