import pytest

from neocog.models.class_names import imagenet_ids, match_class_names
from neocog.models.imagenet import imagenet_classes


@pytest.mark.parametrize(
    ("names", "ids", "known_names", "known_ids", "places"),
    [
        (("bee", "ant"), (), ("ant", "bee", "cat"), (), [1, 0]),
        (("Polar-Bear", "great_white  shark"), (), ("great white shark", "polar bear"), (), [1, 0]),
        (("dog",), (), ("ant",), (), [None]),
        (("crane",), (), ("crane", "Crane"), (), [None]),
        (("ant", "Ant"), (), ("ant", "bee"), (), [None, None]),
        (("crane", "crane"), ("n2", "n1"), ("crane", "crane"), ("n1", "n2"), [1, 0]),
        (("n2", "ant"), (), ("crane", "ant"), ("n2", "n1"), [0, 1]),
        (("one", "ant"), ("n2", "n9"), ("crane", "ant"), ("n2", "n1"), [0, 1]),
    ],
)
def test_a_class_is_found_by_its_identifier_else_by_a_name_that_is_there_once(names, ids, known_names, known_ids, places):
    assert match_class_names(names, ids, known_names, known_ids) == places


def test_imagenets_names_bring_its_identifiers():
    names = [item.name for item in imagenet_classes()]
    assert imagenet_ids(names)[:2] == ("n01440764", "n01443537")
    assert len(imagenet_ids(tuple(names))) == 1000
    assert imagenet_ids(names[:-1]) == ()
