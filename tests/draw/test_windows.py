import torch

from neocog.draw.windows import Outline, draw_windows

RED, BLUE = (255, 0, 0), (0, 0, 255)


def shown(sheet, colour):
    return (sheet == torch.tensor(colour, dtype=torch.uint8)[:, None, None]).all(0)


def test_a_rectangle_lies_around_its_pixels():
    sheet = draw_windows(torch.full((1, 10, 10), 128, dtype=torch.uint8), [Outline(2, 3, 5, 7, RED)], shorter_side=100)
    rows, columns = shown(sheet, RED).nonzero().T
    margin = (sheet.shape[1] - 100) // 2
    assert (rows.min() - margin, rows.max() + 1 - margin) == (20, 50)
    assert (columns.min() - margin, columns.max() + 1 - margin) == (30, 70)
    assert shown(sheet, (128, 128, 128)).sum() == 100 * 100 - shown(sheet, RED).sum()


def test_what_reaches_beyond_is_drawn_on_a_margin_and_named():
    picture = torch.full((1, 10, 10), 128, dtype=torch.uint8)
    outlines = [Outline(-1, -1, 11, 11, RED, "can see"), Outline(0, 0, 10, 10, BLUE, "sees")]
    sheet = draw_windows(picture, outlines, shorter_side=100)
    plain = draw_windows(picture, [outline._replace(name="") for outline in outlines], shorter_side=100)
    assert sheet.shape[1] > plain.shape[1]
    rows, _ = shown(plain, RED).nonzero().T
    assert rows.max() + 1 - rows.min() == 120
    assert shown(sheet, BLUE).sum() > shown(plain, BLUE).sum()  # its swatch


def test_a_far_larger_rectangle_makes_no_far_larger_sheet():
    sheet = draw_windows(torch.zeros(1, 10, 10, dtype=torch.uint8), [Outline(-500, -500, 500, 500, RED)], shorter_side=100)
    assert not shown(sheet, RED).any()  # it could not be seen whole
    named = draw_windows(torch.zeros(1, 10, 10, dtype=torch.uint8), [Outline(-500, -500, 500, 500, RED, "can see")], shorter_side=100)
    assert shown(named, RED).any()  # its swatch
    assert sheet.shape[1] <= 150
