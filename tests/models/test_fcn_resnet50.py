import pytest
import torch
import torchvision

from neocog.models import MODELS, create_model, describe


def test_a_torchvision_file_fits(with_weights_of, disturb):
    theirs = disturb(torchvision.models.segmentation.fcn_resnet50(weights=None, weights_backbone=None, num_classes=4, aux_loss=True))
    ours = with_weights_of("fcn_resnet50", theirs, num_classes=4).eval()
    images = torch.rand(1, 3, 45, 70)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images)["out"], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(ours.forward_train(images)["aux1"], theirs(images)["aux"], atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_a_file_of_weights_is_loaded_whole(tmp_path):
    with torch.device("meta"):
        theirs = torchvision.models.segmentation.fcn_resnet50(weights=None, weights_backbone=None, num_classes=21, aux_loss=True)
    state = {key: torch.zeros(value.shape, dtype=value.dtype) for key, value in theirs.state_dict().items()}
    torch.save(state, tmp_path / "w.pth")
    model = create_model("fcn_resnet50", weights=tmp_path / "w.pth")
    assert model.num_classes == 21
    assert model.weights_report.lines() == []


def test_counts_are_torchvisions():
    weights = torchvision.models.segmentation.FCN_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1
    assert MODELS["fcn_resnet50"].parameters == weights.meta["num_params"]
    with torch.device("meta"):
        description = describe(create_model("fcn_resnet50"))
    counted = sum(row.multiply_adds for row in description.rows)  # torchvision runs the second head in evaluation too
    assert round(counted / 1e9, 3) == weights.meta["_ops"]


@pytest.mark.parametrize("key", ["classifier.2.weight", "fc.weight", "aux_classifier.9"])
def test_an_unknown_key_stays_as_it_is(key):
    assert MODELS["fcn_resnet50"].key_map(key) == key


def test_maps_stay_at_stride_8():
    with torch.device("meta"):
        network = create_model("fcn_resnet50")
    assert [info.stride for info in network.stage_info] == [2, 4, 8, 8, 8]
    assert list(network.auxiliary) == ["layer3"]
