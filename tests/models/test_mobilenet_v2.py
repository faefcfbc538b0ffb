import pytest
import torch
import torchvision

from neocog.images import cover, decode
from neocog.models import create_model, folded_norms, imagenet_classes
from neocog.models.mobilenet_v2 import mobilenet_v2_key


def test_torchvisions_weights_give_torchvisions_logits(with_weights_of, disturb):
    theirs = disturb(torchvision.models.mobilenet_v2())
    ours = with_weights_of("mobilenet_v2", theirs).eval()
    images = torch.randn(2, 3, 64, 96)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images), atol=1e-4, rtol=1e-4)


def test_the_initial_weights_are_torchvisions():
    torch.manual_seed(0)
    theirs = torchvision.models.mobilenet_v2().state_dict()
    torch.manual_seed(0)
    ours = create_model("mobilenet_v2").state_dict()
    assert all(torch.equal(ours[mobilenet_v2_key(key)], tensor) for key, tensor in theirs.items())


@pytest.mark.parametrize(
    "key", ["features.19.0.weight", "features.3.0.weight", "features.3.conv.9.weight", "features.1.conv.3.weight", "x"]
)
def test_keys_that_are_not_torchvisions_stay(key):
    assert mobilenet_v2_key(key) == key


@pytest.fixture(scope="module")
def trained(real_data):
    return create_model("mobilenet_v2", weights=real_data / "weights" / "mobilenet_v2-tf2ptq-tv.pth")


@pytest.mark.realdata
def test_published_weights_fit_and_name_their_classes(trained):
    report = trained.weights_report
    assert report.lines() == []
    assert report.class_names == tuple(item.name for item in imagenet_classes())
    assert trained.num_classes == 1000


@pytest.mark.realdata
def test_published_weights_recognise_photos(trained, real_data):
    folders = sorted(path for path in (real_data / "imagenet-sample").iterdir() if path.is_dir())[:12]
    pictures = [cover(decode(next(folder.iterdir()).read_bytes()), (256, 256))[:, 16:240, 16:240] for folder in folders]
    images = trained.preprocess.normalise(torch.stack(pictures).float() / 255)
    with torch.inference_mode():
        best = trained.eval()(images).argmax(dim=1).tolist()
    trained.train()
    right = sum(imagenet_classes()[index].wnid == folder.name for index, folder in zip(best, folders, strict=True))
    assert right > len(folders) // 2


@pytest.mark.realdata
def test_folded_norms_stay_in_evaluation_after_loading_and_after_a_round_trip(trained, real_data, tmp_path):
    norms = [module for module in trained.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert folded_norms(trained) == norms
    assert trained.training
    assert not any(norm.training for norm in norms)
    torch.save(trained.state_dict(), tmp_path / "state.pt")
    again = create_model("mobilenet_v2")
    assert again.stages["stem"].norm.training
    again.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert again.training
    assert len(folded_norms(again)) == len(norms) == 52
    assert not any(norm.training for norm in folded_norms(again.train()))
