"""The photographs that denoisers are measured on."""

import pytest

from data.conftest import picture_bytes
from neocog.data.open import open_dataset
from neocog.errors import SurroundingsError


def test_train_and_set68(tmp_path, monkeypatch):
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path))
    with pytest.raises(SurroundingsError):
        open_dataset("bsd")
    for number, name in enumerate(("train/1.png", "train/2.png", "Set68/test001.png")):
        (tmp_path / "bsd" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bsd" / name).write_bytes(picture_bytes(number))
    dataset = open_dataset("bsd")
    assert dataset.task == "denoise"
    assert [dataset.given_split(index) for index in range(3)] == ["train", "train", "test"]
    assert open_dataset("bsd/Set68", "denoise").name == "Set68"


@pytest.mark.realdata
def test_the_real_ones_are_grey(real_data):
    try:
        dataset = open_dataset("bsd")
    except SurroundingsError:
        pytest.skip("bsd is not here")
    assert (len(dataset), dataset.channels, dataset.typical_size) == (468, 1, (180, 180))
    assert sum(dataset.given_split(index) == "test" for index in range(468)) == 68
