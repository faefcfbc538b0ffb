"""Curves lie where their values say."""

import pytest
import torch

from neocog.draw.line_chart import Axis, Line, line_chart

RED = (255, 0, 0)
FRAME = (slice(92, 516), slice(96, 928))  # rows and columns


def places_of(picture, colour):
    """Rows and columns, from the frame's corner, of pixels that are nearly of a colour."""
    inside = picture[:, FRAME[0], FRAME[1]].float()
    near = (inside - torch.tensor(colour).float()[:, None, None]).abs().sum(dim=0) < 60
    return near.nonzero()


def chart(points, *, log=False, **more):
    return line_chart([Line("", points, RED)], title="title", x=Axis("x", logarithmic=log), y=Axis("y", least=0, most=10), **more)


def test_it_is_a_picture():
    picture = chart([(0, 0), (1, 10)])
    assert (picture.dtype, picture.shape) == (torch.uint8, (3, 600, 960))


def test_a_rising_line_goes_from_corner_to_corner():
    places = places_of(chart([(0, 0), (1, 10)]), RED).float()
    height, width = 424, 832
    assert (places[:, 0] / height + places[:, 1] / width - 1).abs().max() < 0.02
    assert places[:, 1].min() < 8
    assert places[:, 1].max() > width - 8


def test_on_a_logarithmic_axis_equal_ratios_are_equal_steps():
    places = places_of(chart([(1e-4, 5), (1e-2, 5), (1e-2, 0), (1, 0)], log=True), RED)
    fall = places[(places[:, 0] > 260) & (places[:, 0] < 380), 1].float()
    assert fall.mean() == pytest.approx(416, abs=3)  # 0.01 is half way from 0.0001 to 1


def test_what_lies_outside_is_cut_off():
    picture = chart([(0, 5), (1, 100)])
    above = picture[:, 30:80].float()
    assert not ((above - torch.tensor(RED).float()[:, None, None]).abs().sum(dim=0) < 60).any()


def test_one_point_and_equal_values_are_drawn():
    assert len(places_of(chart([(3, 3)]), RED)) > 20
    assert len(places_of(chart([(3, 3), (3, 3)]), RED)) > 5


def test_a_mark_stands_at_its_value():
    mark = places_of(chart([(0, 0), (1, 0)], marks=[(0.25, "here")]), (200, 62, 16))
    upright = mark[mark[:, 0] > 100, 1].float()
    assert upright.mean() == pytest.approx(0.25 * 832, abs=3)


def test_names_stand_above_the_frame():
    lines = [Line(name, [(0, 1), (1, 2)], colour, dotted=True) for name, colour in (("first", RED), ("second", (0, 0, 255)))]
    picture = line_chart(lines, title="t", x=Axis("x"), y=Axis("y"))
    above = picture[:, 60:92, 700:].float()
    for colour in (RED, (0, 0, 255)):
        assert ((above - torch.tensor(colour).float()[:, None, None]).abs().sum(dim=0) < 90).any()


def test_named_places_share_the_axis_evenly_and_have_their_names_below():
    names = ("stem", "", "a name that is far too long for the room that it has")
    picture = line_chart([Line("", [(0, 2), (1, 2), (2, 2)], RED)], title="t", x=Axis("x", names=names), y=Axis("y", least=0, most=10))
    line = places_of(picture, RED)[:, 1]
    assert (int(line.min()), int(line.max())) == (pytest.approx(832 / 6, abs=3), pytest.approx(832 * 5 / 6, abs=3))
    thirds = torch.tensor_split((picture[:, 526:546, 96:926].float().mean(dim=0) < 200).any(dim=0), 3)
    assert [bool(third.any()) for third in thirds] == [True, False, True]


def test_an_interval_is_an_upright_bar_at_its_point():
    line = Line("", [(0, 5), (10, 5)], RED, intervals=[(4, 6), (2, 8)])
    places = places_of(line_chart([line], title="t", x=Axis("x"), y=Axis("y", least=0, most=10)), RED)
    right = places[places[:, 1] > places[:, 1].max() - 4]
    height = int(right[:, 0].max()) - int(right[:, 0].min())
    assert height == pytest.approx(0.6 * 424, abs=6)  # of the frame's height


def test_names_that_have_no_room_there_get_lines_of_their_own_and_the_frame_moves_down():
    colours = [(250, 0, 0), (0, 0, 250), (0, 160, 0)]
    few = line_chart([Line("a", [(0, 1), (1, 2)], colours[0])], title="title", x=Axis("x"), y=Axis("y"))
    lines = [Line(f"{number} and a long name", [(0, 1), (1, 2)], colours[number % 3]) for number in range(9)]
    many = line_chart(lines, title="title", x=Axis("x"), y=Axis("y"))
    more = many.shape[1] - few.shape[1]
    assert more > 40
    assert (many[:, -84:, :90] == few[:, -84:, :90]).all()  # below the frame nothing else has changed
    above = many[:, 58 : 58 + more].float()
    for colour in colours:
        assert ((above - torch.tensor(colour).float()[:, None, None]).abs().sum(dim=0) < 30).any()
