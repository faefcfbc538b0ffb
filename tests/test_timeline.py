"""The pictures of docs/timeline.md, and the figures that they show."""

import importlib.util
import math
import re
from itertools import combinations
from pathlib import Path

import pytest

from neocog.models import MODELS, all_published_weights

DOCS = Path(__file__).parent.parent / "docs"
AREA = (0.0, 0.0, 400.0, 300.0)


@pytest.fixture(scope="module")
def timeline():
    spec = importlib.util.spec_from_file_location("timeline", DOCS / "timeline.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_figure_has_its_source_and_every_name_is_known(timeline):
    rows = timeline.entries()
    assert [row.year for row in rows] == sorted(row.year for row in rows)
    assert all(re.search(r"https://\S+$", row.source) for row in rows)
    assert all(row.architecture in MODELS for row in rows if row.architecture)
    assert [row.year for row in rows if row.place == "1"] == list(range(2010, 2018))


def test_the_story_in_figures(timeline):
    winners = [row.top5_error for row in timeline.entries() if row.place == "1"]
    assert winners == [28.2, 25.8, 16.4, 11.7, 6.7, 3.57, 2.99, 2.25]
    assert winners == sorted(winners, reverse=True)
    others = {row.name: row for row in timeline.entries() if row.place != "1"}
    assert (others["VGG"].top5_error, others["one person"].top5_error) == (7.3, 5.1)


def test_all_published_architectures_have_a_family_with_a_colour(timeline):
    for weights in all_published_weights():
        if weights.name == "imagenet":
            assert timeline.family(weights.model) in timeline.COLOURS


def test_labels_keep_off_points_and_off_each_other(timeline):
    places = {f"network{number}": (150 + 30 * (number % 3), 120 + 26 * (number // 3)) for number in range(9)}
    boxes = timeline.label_boxes(places, 15, AREA)
    assert boxes.keys() == places.keys()
    for one, other in combinations(boxes.values(), 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    for left, top, right, bottom in boxes.values():
        assert 0 < left < right < 400
        assert 0 < top < bottom < 300
        assert not any(left < x < right and top < y < bottom for x, y in places.values())


def test_a_lonely_point_has_its_label_beside_it(timeline):
    (box,) = timeline.label_boxes({"alone": (200.0, 150.0)}, 15, AREA).values()
    assert math.dist((box[0], (box[1] + box[3]) / 2), (200, 150)) < timeline.CLOSE


def test_a_label_without_room_is_an_error(timeline):
    with pytest.raises(ValueError, match=r"^no room for the label much too long$"):
        timeline.label_boxes({"much too long": (20.0, 20.0)}, 15, (0.0, 0.0, 40.0, 40.0))


def test_the_pictures_are_drawn(timeline):
    points = [
        timeline.Point("vgg16", "VGG", 71.6, 138_357_544, 15_470_264_320),
        timeline.Point("resnet50", "ResNet", 76.1, 25_557_032, 4_089_184_256),
    ]
    scatter = timeline.scatter(points, lambda point: point.parameters / 1e6, "Accuracy against size", "parameters, in millions", (1, 200))
    for picture in (scatter, timeline.winners(timeline.entries())):
        assert picture.shape == (3, 800, 1280)
        assert picture.float().std() > 10  # there is something on it


def test_places_on_a_logarithmic_axis_go_by_ratios(timeline):
    plot = timeline.Plot("", "", (1, 100), (0, 10), log=True)
    left, _, right, bottom = plot.area
    assert plot.place(10, 0) == pytest.approx(((left + right) / 2, bottom))


@pytest.mark.parametrize("name", ["winners", "cost", "size"])
def test_the_page_shows_them(name):
    assert f"images/timeline-{name}.png" in (DOCS / "timeline.md").read_text(encoding="utf-8")
