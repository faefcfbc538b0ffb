import torch
from torch import nn

from neocog.batch import Preprocess
from neocog.layers import Reach
from neocog.models.entry import ModelSpec
from neocog.models.pixelwise import Enlarged, PixelNetwork, Placed

SPEC = ModelSpec(3, 1, Preprocess((8, 8), (8, 8), channels=1, mean=(0.0,), std=(1.0,)), None, "segment")


class Halved(nn.Module):
    """Every second pixel; refuses what is smaller than four."""

    def forward(self, maps):
        assert min(maps.shape[2:]) >= 4
        return maps[..., ::2, ::2]

    def reach(self, before, side):
        return before._replace(stride=2 * before.stride)


def network_of(spec=SPEC, **arguments):
    stages = {"stage1": nn.Conv2d(1, 2, 1), "stage2": Halved()}
    return PixelNetwork(spec, stages, Enlarged("stage2", nn.Conv2d(2, 3, 1)), channels=(2, 2), **arguments)


def test_small_images_are_continued_by_their_border_and_answered_at_their_own_size():
    network = network_of(least=4)
    image = torch.rand(1, 1, 2, 3)
    continued = torch.nn.functional.pad(image, (0, 1, 0, 2), mode="replicate")
    assert torch.equal(network(image), network(continued)[..., :2, :3])


def test_auxiliary_answers_are_brought_to_the_images_size():
    network = network_of(auxiliary={"stage2": nn.Conv2d(2, 5, 1)})
    outputs = network.forward_train(torch.rand(2, 1, 9, 6))
    assert {name: tuple(output.shape) for name, output in outputs.items()} == {"logits": (2, 3, 9, 6), "aux1": (2, 5, 9, 6)}
    assert network.auxiliary_weight == 0.5
    assert network_of().auxiliary_weight == 0


def test_what_surrounds_the_image_is_seen_and_not_answered_for():
    network = network_of(surround=lambda images: torch.nn.functional.pad(images, [2] * 4))
    assert network(torch.rand(1, 1, 6, 8)).shape == (1, 3, 6, 8)


def test_the_head_has_only_the_maps_that_it_asks_for():
    network = network_of()
    seen = []
    network.head.register_forward_pre_hook(lambda module, inputs: seen.append((list(inputs[0]), inputs[1])))
    network(torch.rand(1, 1, 5, 7))
    assert seen == [(["stage2"], (5, 7))]


def test_scores_are_enlarged_from_where_their_points_lie():
    """Windows of 5 pixels, 4 apart: the scores are the rows and columns of their middles, and so are those of every pixel between."""
    head = Placed("stage1", nn.Identity(), Reach(stride=4, height=5, width=5, top=1, left=-1))
    at = torch.stack(torch.meshgrid(3 + 4.0 * torch.arange(5), 1 + 4.0 * torch.arange(6), indexing="ij"))[None]
    found = head({"stage1": at}, (24, 30))
    pixels = torch.stack(torch.meshgrid(torch.arange(24).clamp(3, 19), torch.arange(30).clamp(1, 21), indexing="ij"))[None]
    torch.testing.assert_close(found, pixels.float())
