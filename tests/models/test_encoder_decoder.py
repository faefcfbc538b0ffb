import torch

from neocog.models import create_model


def test_all_that_the_decoder_knows_has_passed_through_the_coarsest_map():
    torch.manual_seed(0)
    network = create_model("encoder_decoder", base=4, depth=3).eval()
    images = torch.rand(1, 3, 32, 32)
    other = images.clone()
    network.stages["stage4"].register_forward_hook(lambda module, inputs, output: torch.zeros_like(output))
    other[..., ::2] += 1
    assert torch.equal(network(images), network(other))
