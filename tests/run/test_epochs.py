"""The ends of kept epochs: which there are, and the network as it was."""

import shutil

import pytest
import torch

import neocog
from neocog.errors import RunError, UsageError
from neocog.run.epochs import at_epoch, kept_epochs


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Five epochs of a small network, of which every second and the last two are kept."""
    place = tmp_path_factory.mktemp("epochs") / "run"
    choices = {"epochs": 5, "keep_every": 2, "batch_size": 256, "progress": False, "speed": "exact"}
    return neocog.train("digits", out=place, model="softmax_regression", **choices)


def copied(trained, place):
    shutil.copytree(trained.path, place)
    return neocog.open_run(place)


def test_the_kept_epochs_are_told_and_loaded(trained):
    epochs = kept_epochs(trained.trained)
    assert [kept.epoch for kept in epochs] == [2, 4, 5]
    rows = trained.trained.folder.metrics()
    for kept in epochs:
        then = neocog.Run(at_epoch(trained.trained, kept))
        accuracy = then.evaluate(split="val", progress=False).metrics["accuracy"]
        assert accuracy == pytest.approx(rows[kept.epoch - 1]["val/accuracy"])


def test_the_network_itself_stays_as_it_is(trained):
    before = {name: value.clone() for name, value in trained.trained.model.state_dict().items()}
    then = at_epoch(trained.trained, kept_epochs(trained.trained)[0])
    assert any(not torch.equal(value, before[name]) for name, value in then.model.state_dict().items())
    assert all(torch.equal(value, before[name]) for name, value in trained.trained.model.state_dict().items())


def test_a_single_epoch_is_too_few(trained, tmp_path):
    run = copied(trained, tmp_path / "run")
    for kept in kept_epochs(run.trained)[1:]:
        kept.path.unlink()
    with pytest.raises(UsageError) as error:
        kept_epochs(run.trained)
    found = f"1 in {tmp_path / 'run'}"
    assert error.value.args == ("a run that kept two epochs at least", found, "train with --keep-every 1, or another number")


def test_a_damaged_checkpoint_is_named(trained, tmp_path):
    run = copied(trained, tmp_path / "run")
    kept = kept_epochs(run.trained)[0]
    kept.path.write_bytes(kept.path.read_bytes()[:-100])
    with pytest.raises(RunError) as error:
        at_epoch(run.trained, kept)
    assert error.value.expected == "a whole checkpoint"
    assert str(kept.path) in error.value.found
    other = kept_epochs(run.trained)[1]
    other.path.write_bytes((run.path / "weights.safetensors").read_bytes())
    with pytest.raises(RunError) as error:
        at_epoch(run.trained, other)
    assert error.value.expected == "a checkpoint of the run's own network"
    assert error.value.remedy == "take the file away; the other epochs are then shown"


def test_a_network_without_a_run_has_no_epochs():
    with pytest.raises(UsageError) as error:
        kept_epochs(neocog.pretrained("lenet5", weights=None).trained)
    assert error.value.args == ("a run, to look back over its epochs", "lenet5, which was made on the spot", "train it first")
