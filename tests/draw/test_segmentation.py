"""The answer of a segmentation beside the truth and the differences; masks as files."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from neocog.draw.canvas import line_height
from neocog.draw.mask import mask_file
from neocog.draw.palette import WRONG, class_colour
from neocog.draw.segmentation import CAPTION, GAP, OPACITY, VOID, draw_segmentation
from neocog.images import decode_mask
from neocog.targets import Mask

NAMES = ["sky", "road", "tree"]
HEAD = line_height(CAPTION) + 6


def mask(array, void=None):
    return Mask(torch.from_numpy(np.asarray(array).astype(np.uint16)), void)


def halves(height=240, width=300):
    truth = np.zeros((height, width), dtype=np.uint16)
    truth[:, width // 2 :] = 1
    return truth


def near(pixel, colour):
    return max(abs(int(a) - int(b)) for a, b in zip(pixel.tolist(), colour, strict=True)) <= 1


def test_three_panels_with_answer_truth_and_differences():
    picture = torch.full((3, 240, 300), 100, dtype=torch.uint8)
    truth, answer = halves(), halves()
    answer[:, :50] = 2
    truth[:40] = 255
    sheet = draw_segmentation(picture, mask(answer), NAMES, mask(truth, 255))
    assert sheet.shape[2] == 3 * 300 + 2 * GAP
    assert sheet.shape[1] > HEAD + 240

    def at(panel, y, x):
        return sheet[:, HEAD + y, panel * (300 + GAP) + x]

    def mixed(colour, ground=100):
        return [(1 - OPACITY) * ground + OPACITY * part for part in colour]

    assert near(at(0, 100, 10), mixed(class_colour(2)))
    assert near(at(1, 100, 10), mixed(class_colour(0)))
    assert near(at(1, 10, 10), (100, 100, 100))  # void shows the picture
    assert near(at(2, 100, 10), mixed(WRONG, 177))
    assert near(at(2, 100, 100), (177, 177, 177))
    assert near(at(2, 10, 10), mixed(VOID, 177))


def test_the_legend_names_what_occurs():
    sheet = draw_segmentation(torch.zeros(3, 240, 300, dtype=torch.uint8), mask(halves()), NAMES)
    legend = sheet[:, 240:]
    shown = [bool((legend == torch.tensor(class_colour(i), dtype=torch.uint8)[:, None, None]).all(0).any()) for i in range(3)]
    assert shown == [True, True, False]


def test_large_pictures_shrink_and_small_ones_grow():
    large = draw_segmentation(torch.zeros(3, 2000, 4000, dtype=torch.uint8), mask(halves(2000, 4000)), NAMES)
    assert large.shape[2] == 1600
    assert large.shape[1] > 800
    small = draw_segmentation(torch.zeros(1, 6, 8, dtype=torch.uint8), mask(halves(6, 8)), NAMES, mask(halves(6, 8)))
    assert small.shape[2] == 3 * 320 + 2 * GAP


def test_sizes_must_agree():
    with pytest.raises(ValueError, match=r"expected a mask of \(4, 4\), found \(2, 2\)"):
        draw_segmentation(torch.zeros(3, 4, 4, dtype=torch.uint8), mask(np.zeros((2, 2))), NAMES)


@pytest.mark.parametrize("largest", [3, 255, 256, 1000])
def test_a_mask_s_file_has_its_numbers(largest):
    array = np.arange(12).reshape(3, 4)
    array[2, 3] = largest
    data = mask_file(mask(array))
    assert decode_mask(data).tolist() == array.tolist()
    image = Image.open(io.BytesIO(data))
    assert image.mode == ("P" if largest < 256 else "I;16")
    if largest < 256:
        assert image.convert("RGB").getpixel((1, 0)) == class_colour(1)


def test_void_is_black_in_the_palette():
    image = Image.open(io.BytesIO(mask_file(mask([[0, 7]], void=7))))
    assert image.convert("RGB").getpixel((1, 0)) == (0, 0, 0)
