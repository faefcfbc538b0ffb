import pytest
from torchvision.models._meta import _IMAGENET_CATEGORIES

from neocog.models import imagenet_classes


def plain(name):
    return name.casefold().replace("-", " ")


def test_there_are_1000_classes_in_order_with_unique_identifiers():
    classes = imagenet_classes()
    assert [item.index for item in classes] == list(range(1000))
    assert len({item.wnid for item in classes}) == 1000
    assert all(item.wnid[0] == "n" and item.wnid[1:].isdigit() and len(item.wnid) == 9 for item in classes)
    assert [item.wnid for item in classes] == sorted(item.wnid for item in classes)


def test_names_are_torchvisions():
    differing = [
        (ours.name, theirs)
        for ours, theirs in zip(imagenet_classes(), _IMAGENET_CATEGORIES, strict=True)
        if plain(ours.name) != plain(theirs)
    ]
    # torchvision tells its two cranes and its two maillots apart, and shortens a few.
    assert len(differing) < 10, differing


@pytest.mark.realdata
def test_identifiers_are_those_of_the_sample(real_data):
    lines = (real_data / "imagenet-sample" / "classes.txt").read_text().splitlines()
    assert [f"{item.index}\t{item.wnid}\t{item.name.replace(' ', '_')}" for item in imagenet_classes()] == lines
