import torch

from neocog.draw.palette import class_colour
from neocog.draw.scatter import BORDER, class_legend, scatter


def shown(sheet, colour):
    return (sheet == torch.tensor(colour, dtype=torch.uint8)[:, None, None]).all(0).nonzero()


def test_points_lie_where_they_belong_in_the_colours_of_their_classes():
    places = torch.tensor([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    sheet = scatter(places, [0, 1, 2], side=200)
    low, high = BORDER, 200 - BORDER
    for index, (down, across) in enumerate([(high, low), (low, high), (low, low)]):  # y runs upwards
        middle = shown(sheet, class_colour(index)).float().mean(0)
        assert (middle - torch.tensor([down - 0.5, across - 0.5])).abs().max() < 1.5


def test_thumbnails_do_not_cover_one_another():
    pictures = [torch.full((3, 8, 8), value, dtype=torch.uint8) for value in (10, 20, 30)]
    sheet = scatter(torch.tensor([[0.0, 0], [0, 0], [1, 0]]), [0, 0, 1], pictures, side=300, thumbnail=16)
    assert len(shown(sheet, (10, 10, 10))) == 16 * 16
    assert not len(shown(sheet, (20, 20, 20)))  # there was no room
    assert len(shown(sheet, (30, 30, 30))) == 16 * 16


def test_one_place_for_all_and_limits_beyond_are_drawn():
    assert scatter(torch.zeros(4, 2), [-1] * 4, side=200).shape == (3, 100, 100)
    assert scatter(torch.tensor([[0.0, 0.0], [1.0, 0.75]]), [0, 0], side=200).shape == (3, 2 * BORDER + 99, 200)
    sheet = scatter(torch.tensor([[9.0, 9.0]]), [0], limits=(0, 1, 0, 1), side=100)
    assert len(shown(sheet, class_colour(0)))  # kept at the edge


def test_the_legend_names_the_classes_that_occur():
    legend = class_legend(["a", "b", "c"], [2, 0, 2, -1])
    assert len(shown(legend, class_colour(0)))
    assert len(shown(legend, class_colour(2)))
    assert not len(shown(legend, class_colour(1)))
    many = class_legend([str(index) for index in range(60)], list(range(60)))
    assert many.shape[1] < 60 * 20  # the rest is counted
    assert class_legend(["a"], [-1]).shape[1] == 1
