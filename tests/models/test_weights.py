import pytest
import torch
import torchvision

from neocog.batch import Preprocess
from neocog.errors import WeightsError
from neocog.models import MODELS, adapt_input, create_model, imagenet_classes, load_weights, write_weights


def saved(path, name, *, class_names=None, **arguments):
    """A network of ours and its file."""
    torch.manual_seed(0)
    model = create_model(name, **arguments)
    metadata = {"model": name} if class_names is None else {"model": name, "class_names": class_names}
    write_weights(path, model.state_dict(), metadata)
    return model


def refused(*arguments, **keywords):
    with pytest.raises(WeightsError) as caught:
        create_model(*arguments, **keywords)
    return str(caught.value)


def test_torchvisions_file_fits_without_remark(tmp_path):
    theirs = torchvision.models.resnet18(num_classes=5).eval()
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    ours = create_model("resnet18", weights=tmp_path / "w.pth").eval()
    assert ours.weights_report.lines() == []
    assert ours.weights_report.class_names is None
    images = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(ours(images), theirs(images), atol=1e-4, rtol=1e-4)


def test_missing_and_unexpected_keys_are_reported(tmp_path):
    state = torchvision.models.resnet18().state_dict()
    del state["layer1.0.bn1.bias"]
    state["extra.weight"] = torch.zeros(1)
    torch.save(state, tmp_path / "w.pth")
    report = create_model("resnet18", weights=tmp_path / "w.pth").weights_report
    assert report.missing == ("stages.layer1.0.body.0.norm.bias",)
    assert report.unexpected == ("extra.weight",)
    assert report.lines() == ["missing from w.pth: stages.layer1.0.body.0.norm.bias", "not used of w.pth: extra.weight"]


def test_a_file_of_half_precision_is_taken(tmp_path):
    source = create_model("resnet20")
    write_weights(
        tmp_path / "w", {key: value.half() if value.is_floating_point() else value for key, value in source.state_dict().items()}, {}
    )
    model = create_model("resnet20", in_channels=1, weights=tmp_path / "w")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("file", "name"), [("resnet34", "resnet18"), ("resnet18", "resnet34"), ("mobilenet_v2", "resnet20"), ("resnet20", "mlp")]
)
def test_another_architectures_weights_are_refused(tmp_path, file, name):
    path = tmp_path / "w"
    saved(path, file)
    text = refused(name, weights=path)
    assert text.startswith(f"expected: weights of {name}\nfound: {path}, weights of {file} (")
    assert text.endswith(" keys are shared)\nto do: name the file's architecture, or give another file")


def test_a_foreign_file_of_another_architecture_is_refused(tmp_path):
    torch.save(torchvision.models.squeezenet1_1().state_dict(), tmp_path / "w.pth")
    assert "another architecture's weights (2 of " in refused("vgg16", weights=tmp_path / "w.pth", num_classes=2)


def test_tensors_of_other_shapes_are_listed(tmp_path):
    path = tmp_path / "w"
    saved(path, "small_convnet", width=8)
    text = refused("small_convnet", weights=path, width=16)
    assert text.startswith("expected: tensors of this small_convnet's shapes\n")
    assert "(8,) instead of (16,)" in text
    assert " more\n" in text
    assert text.endswith("to do: give the options and the image size that the file was trained with, or another file")


def test_an_mlp_for_another_image_size_is_refused(tmp_path):
    saved(tmp_path / "w", "mlp", image_size=(8, 8))
    assert "stages.hidden1.fc.weight (300, 192) instead of (300, 2352)" in refused("mlp", weights=tmp_path / "w")


def test_one_channel_gets_what_a_repeated_grey_picture_gets(tmp_path):
    colour = saved(tmp_path / "w", "resnet20").eval()
    grey = create_model("resnet20", in_channels=1, weights=tmp_path / "w").eval()
    assert grey.weights_report.adapted_first_layer == (3, 1)
    assert grey.weights_report.lines() == ["first layer adapted from 3 to 1 channels"]
    images = torch.randn(2, 1, 32, 32)
    torch.testing.assert_close(grey(images), colour(images.expand(-1, 3, -1, -1)), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("old", "new"), [(3, 4), (4, 3), (1, 3), (3, 1), (1, 4)])
def test_activations_keep_their_size_where_channels_are_alike(old, new):
    weight = torch.randn(5, old, 3, 3, dtype=torch.float64).mean(dim=1, keepdim=True).expand(-1, old, -1, -1)
    image = torch.randn(1, 1, 8, 8, dtype=torch.float64)
    before = torch.nn.functional.conv2d(image.expand(-1, old, -1, -1), weight)
    after = torch.nn.functional.conv2d(image.expand(-1, new, -1, -1), adapt_input(weight, new))
    torch.testing.assert_close(after, before)


def test_the_fourth_channel_gets_the_mean():
    weight = torch.randn(5, 3, 3, 3)
    adapted = adapt_input(weight, 4)
    torch.testing.assert_close(adapted[:, :3], weight * 3 / 4)
    torch.testing.assert_close(adapted[:, 3], weight.mean(dim=1) * 3 / 4)


def test_another_number_of_classes_gets_a_new_head(tmp_path):
    source = saved(tmp_path / "w", "resnet20", class_names=[f"class {i}" for i in range(10)])
    model = create_model("resnet20", num_classes=3, weights=tmp_path / "w")
    report = model.weights_report
    assert (report.replaced_head, report.matched_classes, report.class_names) == (True, (), None)
    assert report.lines() == ["last layer new"]
    assert torch.equal(model.stages["stem"].conv.weight, source.stages["stem"].conv.weight)
    assert model.head.fc.weight.shape == (3, 64)


def test_rows_are_used_again_where_names_match(tmp_path):
    source = saved(tmp_path / "w", "resnet20", num_classes=4, class_names=["polar bear", "ant", "crane", "Crane"])
    model = create_model("resnet20", weights=tmp_path / "w", class_names=("bee", "Polar-Bear", "ant", "crane"))
    report = model.weights_report
    assert report.matched_classes == ("Polar-Bear", "ant")  # the file has two cranes
    assert report.class_names == ("bee", "Polar-Bear", "ant", "crane")
    assert report.lines() == ["last layer new; rows used again for 2 classes: Polar-Bear, ant"]
    assert torch.equal(model.head.fc.weight[1:3], source.head.fc.weight[:2])
    assert torch.equal(model.head.fc.bias[1:3], source.head.fc.bias[:2])
    assert not torch.equal(model.head.fc.weight[3], source.head.fc.weight[2])


def test_equal_names_in_equal_order_keep_the_head(tmp_path):
    saved(tmp_path / "w", "resnet20", num_classes=2, class_names=["ant", "bee"])
    report = create_model("resnet20", weights=tmp_path / "w", class_names=("ant", "bee")).weights_report
    assert not report.replaced_head
    assert report.class_names == ("ant", "bee")
    assert create_model("resnet20", weights=tmp_path / "w").weights_report.class_names == ("ant", "bee")


def test_equal_names_in_another_order_move_the_rows(tmp_path):
    source = saved(tmp_path / "w", "resnet20", num_classes=2, class_names=["ant", "bee"])
    model = create_model("resnet20", weights=tmp_path / "w", class_names=("bee", "ant"))
    assert model.weights_report.replaced_head
    assert torch.equal(model.head.fc.weight, source.head.fc.weight.flip(0))


def test_names_that_the_file_does_not_give_are_believed(tmp_path):
    source = saved(tmp_path / "w", "resnet20", num_classes=2)
    model = create_model("resnet20", weights=tmp_path / "w", class_names=("bee", "ant"))
    assert not model.weights_report.replaced_head
    assert torch.equal(model.head.fc.weight, source.head.fc.weight)


def test_a_thousand_classes_without_names_are_imagenets(tmp_path):
    source = saved(tmp_path / "w", "mobilenet_v2")
    names = tuple(item.name for item in imagenet_classes())
    assert create_model("mobilenet_v2", weights=tmp_path / "w").weights_report.class_names == names
    model = create_model("mobilenet_v2", weights=tmp_path / "w", class_names=("n12057211", "n01440764", "great_white_shark", "crane"))
    assert model.weights_report.matched_classes == ("n12057211", "n01440764", "great_white_shark")
    assert torch.equal(model.head.fc.weight[:3], source.head.fc.weight[[986, 0, 2]])


def test_a_file_without_head_leaves_the_initial_one(tmp_path):
    source = create_model("resnet20")
    write_weights(tmp_path / "w", {key: value for key, value in source.state_dict().items() if not key.startswith("head")}, {})
    model = create_model("resnet20", num_classes=3, weights=tmp_path / "w")
    assert model.weights_report.missing == ("head.fc.bias", "head.fc.weight")
    assert not model.weights_report.replaced_head


def test_a_network_that_is_there_already_takes_the_files_normalisation_and_keeps_its_size(tmp_path):
    source = create_model("resnet20")
    write_weights(tmp_path / "w", source.state_dict(), {"preprocess": Preprocess((32, 32), (32, 32), mean=(0.1, 0.2, 0.3)).to_dict()})
    model = create_model("resnet20", in_channels=1, image_size=(16, 16))
    load_weights(model, tmp_path / "w", MODELS["resnet20"])
    assert model.preprocess.size == (16, 16)
    assert model.preprocess.mean == (0.2,)


def test_the_digest_says_which_file_it_was(tmp_path):
    saved(tmp_path / "w", "mlp")
    report = create_model("mlp", weights=tmp_path / "w").weights_report
    assert report.path == tmp_path / "w"
    assert len(report.digest) == 64


@pytest.mark.parametrize(("name", "options"), [("unet", {"encoder": "resnet18"}), ("fcn32s", {}), ("deeplabv3", {})])
def test_weights_of_the_backbone_go_into_the_stages_alone(name, options, tmp_path):
    torch.manual_seed(0)
    theirs = torchvision.models.resnet18(weights=None)
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    model = create_model(name, weights=tmp_path / "w.pth", num_classes=3, **options)
    mapped = {MODELS["resnet18"].key_map(key): tensor for key, tensor in theirs.state_dict().items()}
    own = model.state_dict()
    assert all(torch.equal(own[key], tensor) for key, tensor in mapped.items() if key.startswith("stages."))
    report = model.weights_report
    assert report.unexpected == ("fc.bias", "fc.weight")
    assert report.missing
    assert all(key.startswith("head.") for key in report.missing)
    assert (report.replaced_head, report.class_names) == (False, None)


def test_weights_of_another_backbone_are_refused(tmp_path):
    write_weights(tmp_path / "w", create_model("resnet20").state_dict(), {"model": "resnet20"})
    with pytest.raises(WeightsError, match="weights of resnet20"):
        create_model("unet", encoder="resnet18", weights=tmp_path / "w", num_classes=3)


def test_our_own_file_of_the_backbone_goes_into_the_stages_too(tmp_path):
    source = saved(tmp_path / "w", "mobilenet_v3_small", class_names=["ant", "bee"], num_classes=2)
    model = create_model("unet", encoder="mobilenet_v3_small", weights=tmp_path / "w", class_names=("sky", "ant"))
    assert all(torch.equal(value, source.stages.state_dict()[key]) for key, value in model.stages.state_dict().items())
    assert model.num_classes == 2
    write_weights(tmp_path / "whole", model.state_dict(), {"model": "unet"})
    assert create_model("unet", encoder="mobilenet_v3_small", weights=tmp_path / "whole").weights_report.lines() == []
