import pytest
import torch

from neocog.batch import Preprocess
from neocog.errors import UsageError
from neocog.models import create_model, write_weights


def refused(*arguments, **keywords):
    with pytest.raises(UsageError) as caught:
        create_model(*arguments, **keywords)
    return str(caught.value)


def test_a_wrong_name_brings_a_suggestion():
    text = refused("resnt18", num_classes=10)
    assert text.startswith("expected: the name of an architecture\nfound: 'resnt18'\nto do: did you mean resnet18")


def test_an_unknown_option_brings_a_suggestion():
    assert refused("mlp", width=(3,)) == "expected: an option of the model mlp\nfound: 'width'\nto do: did you mean widths?"
    text = refused("resnet20", widths=(3,))
    assert text == "expected: an option of the model resnet20\nfound: 'widths'\nto do: leave it out: the model resnet20 has no options"


def test_no_class_is_refused():
    assert refused("resnet20", num_classes=0) == "expected: at least one class\nfound: 0\nto do: give the number of classes"


def test_names_must_be_as_many_as_classes():
    text = refused("resnet20", num_classes=3, class_names=("ant", "bee"))
    assert text == "expected: 3 class names\nfound: 2\nto do: give one name for each class"


def test_the_number_of_classes_comes_from_names_then_from_the_paper():
    with torch.device("meta"):
        assert create_model("resnet20", class_names=("ant", "bee")).num_classes == 2
        assert create_model("resnet20").num_classes == 10


def test_without_weights_there_is_no_report():
    assert create_model("softmax_regression", image_size=(8, 8)).weights_report is None


def test_a_new_network_is_in_training_mode():
    assert create_model("resnet20").training


def test_weights_bring_their_number_of_classes_size_and_normalisation(tmp_path):
    source = create_model("mlp", num_classes=5, in_channels=1, image_size=(8, 8), widths=(6,))
    preprocess = Preprocess((8, 8), (9, 9), channels=1, mean=(0.3,), std=(0.4,))
    write_weights(tmp_path / "w", source.state_dict(), {"preprocess": preprocess.to_dict()})
    again = create_model("mlp", in_channels=1, weights=tmp_path / "w", widths=(6,))
    assert again.num_classes == 5
    assert again.preprocess == preprocess


def test_a_size_that_is_asked_for_goes_before_the_weights_own(tmp_path):
    source = create_model("resnet20", num_classes=5)
    write_weights(tmp_path / "w", source.state_dict(), {"preprocess": Preprocess((32, 32), (40, 40), mean=(0.1, 0.2, 0.3)).to_dict()})
    again = create_model("resnet20", weights=tmp_path / "w", image_size=(16, 16))
    assert again.preprocess == Preprocess((16, 16), (20, 20), mean=(0.1, 0.2, 0.3))
