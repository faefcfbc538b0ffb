"""Which layer's kernels are shown, and what is told of them."""

import math

import pytest
import torch

from examine.requesting import convolutional, request
from neocog.errors import UsageError
from neocog.examine.filters import FiltersOptions, filters
from neocog.layers import gabor


def shown(trained, **more):
    return filters(request(trained, options=FiltersOptions(**more.pop("options", {})), arrays=True, **more))


def planted(degrees):
    """`convolutional` with Gabor functions for its first kernels."""
    trained = convolutional()
    layer = torch.nn.Conv2d(1, len(degrees), 7, padding=3)
    with torch.no_grad():
        layer.weight.copy_(torch.stack([gabor(7, 4.0, math.radians(angle), sigma=1.6) for angle in degrees])[:, None])
    trained.model.stages["first"][0] = layer
    return trained


def test_known_orientations_are_told():
    found = shown(planted([0, 45, 90, 135]))
    assert found.facts["layer"] == "first.0"
    assert found.facts["orientations"]["histogram"] == (1, 0, 1, 0, 1, 0, 1, 0)
    assert [fit["orientation"] for fit in found.facts["gabor"]] == pytest.approx([0, 45, 90, 135], abs=0.5)
    assert found.lines[0].startswith("4 of 4 filters are oriented, at a median of 0.25 cycles per pixel")
    assert len(found.lines) == 1
    assert [sheet.name for sheet in found.sheets] == ["kernels", "gabor", "orientations"]
    assert found.arrays["gabor"].shape == (4, 10)


def test_few_pixels_are_warned_of():
    assert "held fast" in shown(convolutional()).lines[-1]


def test_a_stage_stands_for_its_first_kernels_and_deep_ones_are_not_fitted():
    found = shown(convolutional(), layer="second")
    assert found.facts["layer"] == "second.1"
    assert found.facts["kernels"] == [6, 4, 3, 3]
    assert [sheet.name for sheet in found.sheets] == ["kernels"]
    assert set(found.arrays) == {"kernels"}


def test_a_layer_without_kernels_is_refused():
    with pytest.raises(UsageError) as error:
        shown(convolutional(), layer="first.1")
    assert error.value.args[:2] == ("a layer with kernels", "stages.first.1, a ReLU")
