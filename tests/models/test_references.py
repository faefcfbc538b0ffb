"""Every architecture against an independent implementation with the same weights."""

import copy

import pytest
import torch

import families
from neocog.models import MODELS, create_model
from references.compare import (
    COUNTER,
    TOLERANCE,
    all_references,
    answers,
    difference,
    randomise,
    spelling,
    with_the_same_weights,
    without_chance,
)

NAMES = MODELS.names()
REFERENCES = all_references()
KEYS_TRIED = 6
LONELY = "more than 1 value per channel"  # what batch norm says of a single point, which it cannot normalise by


@pytest.fixture(scope="module", params=families.sampled(NAMES))
def pair(request):
    """Our network and its reference, with equal weights and nothing left to chance."""
    name = request.param
    entry, reference = MODELS[name], REFERENCES[name]
    torch.manual_seed(0)
    shape = {"num_classes": entry.classes, "in_channels": entry.channels[0], "image_size": reference.size}
    ours = create_model(name, **shape, **reference.options)
    randomise(ours)
    theirs = with_the_same_weights(ours, reference, entry.key_map)
    ours.name = name
    return without_chance(ours).eval(), without_chance(theirs).eval()


def some_images(network, count):
    return torch.randn(count, network.preprocess.channels, *network.preprocess.size, generator=torch.Generator().manual_seed(count))


def ours_of(network, images, training):
    return answers(
        network, images, training, lambda module, pixels: module.forward_train(pixels) if training else {"logits": module(pixels)}
    )


@pytest.mark.parametrize("name", NAMES)
def test_there_is_a_reference(name):
    assert REFERENCES[name].source in ("torchvision", "timm", "scikit-learn", "second implementation")


def test_no_reference_is_left_over():
    assert REFERENCES.keys() <= set(NAMES)


@pytest.mark.parametrize("count", [1, 3])
def test_it_answers_as_the_reference_does(pair, count):
    ours, theirs = pair
    images = some_images(ours, count)
    expected = answers(theirs, images, False, REFERENCES[ours.name].outputs)
    assert difference(ours_of(ours, images, False), expected) < TOLERANCE


def refuses(network, images, call):
    """Whether a batch norm of the network would see one point only."""
    try:
        answers(copy.deepcopy(network), images, True, call)
    except ValueError as error:
        return LONELY in str(error)
    return False


@pytest.mark.parametrize("count", [1, 3])
def test_in_training_too(pair, count):
    ours, theirs = copy.deepcopy(pair)
    images = some_images(ours, count)
    if count == 1 and refuses(theirs, images, REFERENCES[ours.name].outputs):
        with pytest.raises(ValueError, match=LONELY):
            ours_of(ours, images, True)
        return
    expected = answers(theirs, images, True, REFERENCES[ours.name].outputs)
    assert difference(ours_of(ours, images, True), expected) < TOLERANCE
    names = spelling(theirs.state_dict(), REFERENCES[ours.name].key or MODELS[ours.name].key_map)
    after = theirs.state_dict()
    for key, value in ours.state_dict().items():
        if key in names and key.endswith("running_mean"):
            torch.testing.assert_close(value, after[names[key]], atol=1e-3, rtol=1e-3)


def test_one_wrong_key_is_noticed(pair):
    ours, theirs = pair
    images = some_images(ours, 1)
    right = ours_of(ours, images, False)
    answering = {name for name, _ in theirs.named_parameters()}  # other buffers than statistics are what learning remembers
    used = [
        key
        for key, value in theirs.state_dict().items()
        if value.is_floating_point() and (key in answering or "running" in key) and COUNTER not in key and ".aux" not in f".{key}".lower()
    ]
    for key in used[:: -(-len(used) // KEYS_TRIED)]:
        state = theirs.state_dict()
        kept = state[key].clone()
        disturbed = torch.randn(kept.shape, generator=torch.Generator().manual_seed(0)) * (kept.std(correction=0) + 0.1)
        with torch.no_grad():
            state[key].copy_(disturbed.abs() if "var" in key else disturbed)
            wrong = answers(theirs, images, False, REFERENCES[ours.name].outputs)
            state[key].copy_(kept)
        assert difference(right, wrong) > TOLERANCE, key


def test_two_keys_mapped_to_one_are_noticed():
    with pytest.raises(AssertionError, match="two foreign keys are mapped to one"):
        spelling(["a", "b"], lambda key: "weight")


def test_a_key_that_the_reference_lacks_is_noticed():
    ours = create_model("resnet18", num_classes=1000)
    with pytest.raises(AssertionError, match="not in the reference"):
        with_the_same_weights(ours, REFERENCES["resnet18"], lambda key: key)
