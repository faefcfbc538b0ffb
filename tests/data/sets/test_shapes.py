"""Scenes of shapes: one generator, targets that agree with each other and with the pixels."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neocog.data.open import open_dataset
from neocog.data.scenes import SHAPES, draw_scene, gaussian
from neocog.errors import UsageError
from neocog.targets import Boxes, Clean, Label, Mask

TASKS = ("classify", "detect", "segment", "denoise")


def test_all_tasks_show_the_same_scenes():
    sets = {task: open_dataset("shapes", task, count=12, shapes_noise=0.0) for task in TASKS}
    for index in range(12):
        pictures = [dataset.picture(index) for dataset in sets.values()]
        assert all(torch.equal(pictures[0], picture) for picture in pictures)
        label, boxes, mask, clean = (dataset.target(index) for dataset in sets.values())
        assert isinstance(label, Label)
        assert isinstance(boxes, Boxes)
        assert isinstance(mask, Mask)
        assert isinstance(clean, Clean)
        assert torch.equal(clean.picture, pictures[0])
        areas = (boxes.corners[:, 2:] - boxes.corners[:, :2]).prod(dim=1)
        assert int(boxes.classes[areas.argmax()]) == label.index
        assert set(mask.classes.unique().tolist()) - {0} == {int(kind) + 1 for kind in boxes.classes}


def test_classes_are_named_by_what_a_task_counts():
    assert open_dataset("shapes").class_names == SHAPES
    assert open_dataset("shapes", "detect").class_names == SHAPES
    assert open_dataset("shapes", "segment").class_names == ("background", *SHAPES)
    assert open_dataset("shapes", "denoise").class_names == ()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 10**6), st.integers(16, 96), st.integers(16, 96))
def test_boxes_outlines_and_mask_agree(seed, index, height, width):
    scene = draw_scene(seed, index, (height, width))
    boxes, mask = scene.boxes(), scene.mask().classes.int().numpy()
    assert (boxes.corners[:, :2] >= -1e-3).all()
    assert (boxes.corners[:, 2:] <= torch.tensor([width, height]) + 1e-3).all()
    centres = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).reshape(-1, 2) + 0.5
    expected, sure = np.zeros(height * width, dtype=np.int32), np.ones(height * width, dtype=bool)
    for corners, kind, outline in zip(boxes.corners, boxes.classes, boxes.outlines, strict=True):
        assert torch.allclose(torch.cat([outline.amin(0), outline.amax(0)]), corners)
        inside, distance = winding(centres, outline.double().numpy())
        expected[inside] = int(kind) + 1
        sure &= distance > 0.15  # a circle's outline is a polygon
    assert (mask.reshape(-1) == expected)[sure].all()


def winding(points, outline):
    """Whether each point is inside a polygon, by the angles its corners are seen under; and its distance to the edge."""
    seen = outline[None] - points[:, None]
    angles = np.arctan2(seen[..., 1], seen[..., 0])
    turns = np.angle(np.exp(1j * (np.roll(angles, -1, axis=1) - angles))).sum(axis=1)
    steps = np.linspace(0, 1, 30)[:, None, None]
    edge = (outline * (1 - steps) + np.roll(outline, -1, axis=0) * steps).reshape(-1, 2)
    return np.abs(turns) > np.pi, np.linalg.norm(edge[None] - points[:, None], axis=-1).min(axis=1)


def test_shapes_do_not_overlap():
    for index in range(200):
        shapes = draw_scene(0, index, (64, 64)).shapes
        for one in range(len(shapes)):
            for other in range(one):
                apart = np.hypot(*np.subtract(shapes[one].centre, shapes[other].centre))
                assert apart > shapes[one].radius + shapes[other].radius


def test_every_shape_stands_out_from_its_ground():
    for index in range(50):
        scene = draw_scene(0, index, (64, 64))
        luma = (scene.picture().double() * torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)[:, None, None]).sum(0)
        mask = scene.mask().classes.int()
        large = mask == scene.shapes[0].kind + 1
        assert (luma[large].mean() - luma[mask == 0].mean()).abs() > 8


def test_the_picture_shows_the_shapes_where_the_mask_says():
    scene = draw_scene(3, 5, (64, 64))
    bare = type(scene)(scene.size, (), scene.ground, scene.coarse, scene.stripes)
    changed = (scene.picture().int() - bare.picture().int()).abs().sum(0) > 30
    inside = scene.mask().classes.int() > 0
    assert (changed != inside).float().mean() < 0.05


def test_classes_are_balanced():
    counts = open_dataset("shapes", count=1000).class_indices().bincount(minlength=len(SHAPES))
    assert counts.min() > 150
    assert counts.sum() == 1000
    dataset = open_dataset("shapes", count=20)
    assert dataset.class_indices().tolist() == [dataset.target(i).index for i in range(20)]


def test_pictures_are_functions_of_seed_and_number_alone():
    few, many = open_dataset("shapes", count=5), open_dataset("shapes", count=50)
    assert torch.equal(few.picture(4), many.picture(4))
    assert few.digest(4) == many.digest(4) != many.digest(5)
    assert few.fingerprint() != many.fingerprint()
    assert not torch.equal(few.picture(4), open_dataset("shapes", count=5, shapes_seed=1).picture(4))
    assert len({many.digest(i) for i in range(50)}) == 50


def test_noise_is_gaussian_of_the_wanted_deviation():
    dataset = open_dataset("shapes", "denoise", count=30, shapes_noise=10.0)
    errors = []
    for index in range(30):
        clean = dataset.target(index).picture.double()
        inner = (clean > 40) & (clean < 215)  # far from the ends, where values are cut
        errors.append((dataset.picture(index).double() - clean)[inner])
    error = torch.cat(errors)
    assert abs(float(error.mean())) < 0.2
    assert abs(float(error.std()) - 10) < 0.2
    draws = gaussian(0, 1, 200_000)
    assert abs(draws.mean()) < 0.01
    assert abs(draws.std() - 1) < 0.01
    assert abs((np.abs(draws) < 1).mean() - 0.6827) < 0.005


@pytest.mark.parametrize("size", [(16, 16), (32, 80)])
def test_size_and_count_are_options(size):
    dataset = open_dataset("shapes", count=3, size=size)
    assert len(dataset) == 3
    assert dataset.typical_size == size
    assert dataset.picture(2).shape == (3, *size)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"count": 0},
            "expected: count to be a whole number of at least 1\nfound: 0\n"
            "to do: give count a whole number of at least 1; the default is 2000",
        ),
        (
            {"size": (8, 64)},
            "expected: size to be a size HEIGHTxWIDTH of at least 16\nfound: (8, 64)\n"
            "to do: give size a size HEIGHTxWIDTH of at least 16; the default is 64x64",
        ),
        (
            {"shapes_noise": -1.0},
            "expected: shapes_noise to be a number of at least 0\nfound: -1.0\n"
            "to do: give shapes_noise a number of at least 0; the default is 25.0",
        ),
    ],
)
def test_options_that_make_no_sense(options, text):
    with pytest.raises(UsageError) as caught:
        open_dataset("shapes", **options)
    assert str(caught.value) == text


@pytest.mark.slow
def test_a_forest_learns_it_only_in_part():
    """The problem is real: pixels alone do not give it away, yet are better than chance."""
    from sklearn.ensemble import RandomForestClassifier

    dataset = open_dataset("shapes", count=1500, size=(32, 32))
    pixels = torch.stack([dataset.picture(i) for i in range(1500)]).flatten(1).numpy()
    labels = dataset.class_indices().numpy()
    forest = RandomForestClassifier(200, random_state=0).fit(pixels[:1200], labels[:1200])
    assert 0.2 < forest.score(pixels[1200:], labels[1200:]) < 0.8
