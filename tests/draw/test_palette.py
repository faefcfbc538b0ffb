"""Colours of classes: stable, distinct, and readable under text."""

import numpy as np
import pytest

from neocog.draw.palette import PAPER, RIGHT, class_colour, ink_on, shade


def relative_luminance(colour):
    """WCAG 2.1's definition."""
    values = np.array(colour) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(a, b):
    lighter, darker = sorted((relative_luminance(a), relative_luminance(b)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_first_colours_are_far_apart():
    colours = np.array([class_colour(index) for index in range(12)])
    distances = np.linalg.norm(colours[:, None] - colours[None], axis=-1)
    assert distances[~np.eye(12, dtype=bool)].min() > 50


def test_colours_do_not_repeat_within_512_and_do_after():
    assert len({class_colour(index) for index in range(512)}) == 512
    assert class_colour(512 + 7) == class_colour(7)


def test_a_colour_does_not_depend_on_how_many_are_asked_for():
    from neocog.draw.palette import _colours

    assert _colours(32) == _colours(512)[:32]


@pytest.mark.parametrize("index", range(40))
def test_ink_reads_on_every_colour(index):
    assert contrast(class_colour(index), ink_on(class_colour(index))) > 3


def test_shade_runs_from_pale_to_full_and_darkens_all_the_way():
    steps = [relative_luminance(shade(share, RIGHT)) for share in np.linspace(0, 1, 11)]
    assert steps == sorted(steps, reverse=True)
    assert shade(1, RIGHT) == RIGHT
    assert contrast(shade(0, RIGHT), PAPER) < 1.1
