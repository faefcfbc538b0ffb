"""What every named dataset must be, for each of its tasks; a new one is tested by existing.

Sets whose files are not on this machine are skipped.
"""

import dataclasses

import numpy as np
import pytest
import torch

from neocog.data.dataset import DIGEST_BYTES, SPLITS, content_digest
from neocog.data.loader import Loader
from neocog.data.open import open_dataset
from neocog.data.registry import DATASETS, LAYOUTS
from neocog.errors import SurroundingsError
from neocog.targets import Boxes, Clean, Label, Mask

KINDS = {"classify": Label, "detect": Boxes, "segment": Mask, "denoise": Clean}
CASES = [(name, task) for name in DATASETS for task in DATASETS[name].tasks]


@pytest.fixture(params=CASES, ids="-".join)
def dataset(request):
    name, task = request.param
    try:
        return open_dataset(name, task)
    except SurroundingsError as error:
        pytest.skip(f"{name} is not here: {error.remedy}")


def some(dataset):
    return sorted({int(i) for i in np.linspace(0, len(dataset) - 1, 5)})


def test_it_answers_every_question(dataset):
    assert len(dataset) > 0
    assert dataset.channels in (1, 3)
    assert min(dataset.typical_size) > 0
    assert dataset.licence
    assert dataset.notes
    assert len(set(dataset.class_names)) == len(dataset.class_names)
    assert len(dataset.class_ids) in (0, len(dataset.class_names))
    assert len(set(dataset.wheres())) == len(dataset)
    assert set(dataset.given_splits()) <= set(SPLITS)
    assert dataset.fingerprint() == open_dataset(dataset.name, dataset.task).fingerprint()


def test_pictures_and_targets_agree(dataset):
    classes = dataset.class_indices()
    assert (classes is None) == (dataset.task != "classify")
    for index in some(dataset):
        picture, target = dataset.picture(index), dataset.target(index)
        assert picture.dtype == torch.uint8
        assert len(picture) == dataset.channels
        assert torch.equal(dataset.picture(index, depth=16).int(), picture.int() * 257)
        assert isinstance(target, KINDS[dataset.task])
        assert dataset.given_split(index) in (None, *SPLITS)
        assert len(dataset.digest(index)) == DIGEST_BYTES
        if isinstance(target, Label):
            assert classes[index] == target.index < len(dataset.class_names)
        if isinstance(target, Mask):
            assert target.classes.shape == picture.shape[1:]
            assert set(target.classes.int().unique().tolist()) <= {*range(len(dataset.class_names)), target.void}
        if isinstance(target, Boxes):
            assert int(target.classes.max()) < len(dataset.class_names)
        if isinstance(target, Clean):
            assert target.picture.shape == picture.shape


def test_equal_content_has_equal_digests(dataset):
    index = some(dataset)[2]
    if dataset.root is None or not hasattr(dataset, "files"):
        assert dataset.digest(index) == content_digest(dataset.picture(index).contiguous().numpy().tobytes())
    else:
        assert dataset.digest(index) == content_digest(dataset.path(index).read_bytes())


def test_it_makes_batches(dataset):
    batch = Loader(dataset, None, dataset.channels).batch(torch.tensor(some(dataset)))
    assert len(batch) == len(some(dataset))
    assert batch.images.max() <= 1


@pytest.mark.parametrize("registry", [DATASETS, LAYOUTS], ids=["sets", "layouts"])
def test_options_are_documented_and_frozen(registry):
    for name in registry:
        options = registry[name].Options
        assert dataclasses.is_dataclass(options)
        assert options.__dataclass_params__.frozen
        options()
        for field in dataclasses.fields(options):
            assert field.metadata["help"]


def test_layouts_do_not_claim_each_others_folders(folder):
    root = folder({"cat/1.png": 1, "dog/1.png": 2})
    claims = [name for name in LAYOUTS if LAYOUTS[name].unasked and LAYOUTS[name].recognise(root)]
    assert claims == ["class folders"]
