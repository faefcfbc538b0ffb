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


def test_a_task_that_the_architecture_is_not_for_is_refused():
    assert refused("resnet20", task="segment") == (
        "expected: a task of resnet20 (classify)\nfound: segment\nto do: choose one of them, or an architecture for that task"
    )
    text = refused("unet", task="classify")
    assert text.startswith("expected: a task of unet (segment, denoise)\nfound: classify\n")


def test_the_task_is_what_is_asked_for_then_the_weights_then_the_first(tmp_path):
    options = {"base": 2, "depth": 1}
    source = create_model("unet", task="denoise", in_channels=1, **options)
    assert (source.task, source.num_classes) == ("denoise", 1)
    assert create_model("unet", **options).task == "segment"
    write_weights(tmp_path / "w", source.state_dict(), {"task": "denoise"})
    again = create_model("unet", weights=tmp_path / "w", in_channels=1, **options)
    assert (again.task, again.num_classes, again.weights_report.lines()) == ("denoise", 1, [])
    other = create_model("unet", weights=tmp_path / "w", in_channels=1, task="segment", class_names=("road", "sky"), **options)
    assert (other.task, other.num_classes) == ("segment", 2)
    assert torch.equal(other.head.steps[0].up.weight, source.head.steps[0].up.weight)


def test_a_task_that_weights_name_and_the_architecture_lacks_is_nothing(tmp_path):
    write_weights(tmp_path / "w", create_model("resnet20").state_dict(), {"task": ["denoise"]})
    assert create_model("resnet20", weights=tmp_path / "w").task == "classify"


def test_denoising_takes_as_many_outputs_as_channels():
    for channels in (1, 3, 4):
        assert create_model("dncnn", in_channels=channels, num_classes=10, depth=3, width=2).num_classes == channels
