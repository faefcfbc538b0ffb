"""scikit-learn's digits."""

import numpy as np
from sklearn.datasets import load_digits

from neocog.data.open import open_dataset


def test_digits_are_scikit_learns_on_the_scale_of_bytes():
    dataset = open_dataset("digits")
    original = load_digits()
    assert len(dataset) == len(original.images) == 1797
    assert np.abs(dataset.pixels[:, 0].numpy() / 255 - original.images / 16).max() <= 0.5 / 255
    assert (int(dataset.pixels.min()), int(dataset.pixels.max())) == (0, 255)
    assert dataset.labels.tolist() == original.target.tolist()
    assert dataset.class_names == tuple("0123456789")
    assert (dataset.task, dataset.channels, dataset.typical_size, dataset.mirrored) == ("classify", 1, (8, 8), False)
    assert dataset.given_splits() == ()
    assert dataset.where(3) == "digits[3]"


def test_digests_at_once_are_those_one_by_one():
    dataset = open_dataset("digits")
    assert dataset.digests()[:20] == [dataset.digest(i) for i in range(20)]
    assert dataset.fingerprint() == open_dataset("digits").fingerprint()


def test_a_picture_is_a_copy():
    dataset = open_dataset("digits")
    dataset.picture(0).fill_(7)
    assert not (dataset.picture(0) == 7).all()
    assert (dataset.picture(0, depth=16).int() == dataset.picture(0).int() * 257).all()
