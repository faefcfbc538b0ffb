import torch

from neocog.models import MODELS, create_model

ENCODER = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256), (256, 512)] + [(512, 512)] * 5
DECODER = [(512, 512)] * 5 + [(512, 256), (256, 256), (256, 256), (256, 128), (128, 128), (128, 64), (64, 64)]


def test_parameters_in_closed_form():
    convolutions = 9 * sum(before * after for before, after in ENCODER + DECODER)
    norms = 2 * sum(after for _, after in ENCODER + DECODER)
    last = 9 * 64 * 11 + 11
    assert len(ENCODER) == 13 == len(DECODER) + 1
    assert convolutions + norms + last == MODELS["segnet"].parameters == 29_441_419


def test_with_the_biases_of_the_released_network_it_is_the_papers_count():
    biases = sum(after for _, after in ENCODER + DECODER)
    assert round((MODELS["segnet"].parameters + biases) / 1e6, 2) == 29.45


def test_the_encoder_is_vgg16s():
    with torch.device("meta"):
        ours, theirs = create_model("segnet"), create_model("vgg16")
    shapes = [parameter.shape for parameter in ours.stages.parameters() if parameter.ndim == 4]
    assert shapes == [parameter.shape for parameter in theirs.stages.parameters() if parameter.ndim == 4]


def test_values_return_to_where_the_maxima_were():
    head = create_model("segnet").head
    widths = (64, 128, 256, 512, 512)
    maps = {f"stage{level + 1}": torch.zeros(1, width, 32 >> level, 32 >> level) for level, width in enumerate(widths)}
    place = (5, 18)
    for number, values in enumerate(maps.values()):
        values[..., place[0] // 2**number, place[1] // 2**number] = 1
    for number in range(5, 0, -1):
        head.stages[f"stage{number}"] = torch.nn.Identity() if number in (1, 5) else Fewer(widths[number - 2])
    head.conv = torch.nn.Identity()
    answer = head(maps, (32, 32))
    assert answer[0, 0].nonzero().tolist() == [list(place)]


class Fewer(torch.nn.Module):
    """The first channels."""

    def __init__(self, channels):
        super().__init__()
        self.channels = channels

    def forward(self, maps):
        return maps[:, : self.channels]
