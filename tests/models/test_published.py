"""The table of published weights against torchvision's own, and weights taken by their names."""

import hashlib
import re

import pytest
import torch
import torchvision
from torchvision.transforms import InterpolationMode

from neocog.batch import Preprocess
from neocog.data.open import open_dataset
from neocog.errors import SurroundingsError, UsageError, WeightsError
from neocog.images import cover, decode
from neocog.models import MODELS, all_published_weights, create_model, folded_norms, imagenet_classes, published, published_weights
from neocog.models.published import CIFAR10, VOC, PublishedWeights, named_weights, open_weights, weights_called

ROWS = all_published_weights()
OF_TORCHVISION = {"imagenet": "IMAGENET1K_V1", "imagenet_v2": "IMAGENET1K_V2"}
LEFT_OUT = {"IMAGENET1K_FEATURES"}  # of vgg16: its dense layers hold no numbers
CENTRED = ("googlenet", "inception_v3")
OF_SEGMENTATION = [name for name in torchvision.models.list_models(torchvision.models.segmentation) if name in MODELS]
THEIRS = sorted({row.model for row in ROWS if row.model in torchvision.models.list_models(torchvision.models)})


def names_of(rows):
    return [(row.model, row.name) for row in rows]


def refused(kind, *arguments, **keywords):
    with pytest.raises(kind) as caught:
        create_model(*arguments, **keywords)
    return str(caught.value)


@pytest.mark.parametrize("name", THEIRS)
def test_torchvisions_rows_are_torchvisions(name):
    theirs = [weights for weights in torchvision.models.get_model_weights(name) if weights.name not in LEFT_OUT]
    ours = {row.name: row for row in published_weights(name) if "pytorch.org" in row.url}
    assert [OF_TORCHVISION[name] for name in ours] == [weights.name for weights in theirs]
    for row, weights in zip(ours.values(), theirs, strict=True):
        transforms = weights.transforms()
        assert row.url == weights.url
        assert row.file == weights.url.rsplit("/", 1)[1]
        assert row.sha256 == re.search(r"-([0-9a-f]{8})\.pth$", weights.url)[1]  # as torch.hub checks it
        assert InterpolationMode(row.preprocess.interpolation) == transforms.interpolation
        assert row.preprocess.size == (transforms.crop_size[0],) * 2
        assert row.preprocess.resize == (transforms.resize_size[0],) * 2
        assert {"acc@1": row.top1, "acc@5": row.top5} == weights.meta["_metrics"]["ImageNet-1K"]
        assert (row.size, row.licence, row.trained_on) == (None, "BSD-3-Clause", "ImageNet")
        if name not in CENTRED:
            assert (list(row.preprocess.mean), list(row.preprocess.std)) == (transforms.mean, transforms.std)


@pytest.mark.parametrize("name", CENTRED)
def test_where_torchvision_normalises_twice_the_table_has_both_in_one(name):
    weights = torchvision.models.get_model_weights(name).IMAGENET1K_V1
    (row,) = published_weights(name)
    with torch.device("meta"):  # torchvision sets it where weights are given
        network = torchvision.models.get_model(name, weights=None, transform_input=True, init_weights=False)
    images = torch.rand(2, 3, 5, 7)
    usual = torchvision.transforms.functional.normalize(images, weights.transforms().mean, weights.transforms().std)
    torch.testing.assert_close(row.preprocess.normalise(images), network._transform_input(usual))


def test_everything_of_torchvision_that_the_registry_has_is_in_the_table():
    families = {name.removesuffix("_cifar") for name in MODELS} & set(torchvision.models.list_models(torchvision.models))
    assert families <= set(THEIRS)
    assert {row.model for row in ROWS if row.mean_iou} == set(OF_SEGMENTATION)


@pytest.mark.parametrize("name", OF_SEGMENTATION)
def test_rows_of_segmentation_are_torchvisions(name):
    (theirs,) = torchvision.models.get_model_weights(name)
    (row,) = published_weights(name)
    transforms = theirs.transforms()
    assert (row.url, row.sha256) == (theirs.url, re.search(r"-([0-9a-f]{8})\.pth$", theirs.url)[1])
    assert InterpolationMode(row.preprocess.interpolation) == transforms.interpolation
    assert row.preprocess.size == row.preprocess.resize == (transforms.resize_size[0],) * 2
    assert (list(row.preprocess.mean), list(row.preprocess.std)) == (transforms.mean, transforms.std)
    assert row.mean_iou == theirs.meta["_metrics"]["COCO-val2017-VOC-labels"]["miou"]
    assert MODELS[name].parameters == theirs.meta["num_params"]
    assert list(VOC) == [category.strip("_") for category in theirs.meta["categories"]]


def test_every_row_is_of_an_architecture_that_there_is():
    assert {row.model for row in ROWS} - set(MODELS) == set()


@pytest.mark.parametrize("name", [row.model for row in ROWS if row.name in ("imagenet", "cifar10", "voc")])
def test_an_architecture_without_weights_has_the_size_of_the_usual_ones(name):
    own, theirs = MODELS[name].preprocess, weights_called(name).preprocess
    assert (own.size, own.resize, own.interpolation) == (theirs.size, theirs.resize, theirs.interpolation)


def test_the_table_is_whole():
    assert len(set(names_of(ROWS))) == len({row.file for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert re.fullmatch(r"[0-9a-f]{8}|[0-9a-f]{64}", row.sha256)
        assert not row.url or row.url.endswith(row.path.name)
        assert row.url or (row.size and len(row.sha256) == 64)
        assert row.licence in ("BSD-3-Clause", "BSD-2-Clause", "Apache-2.0")
        assert (row.top1 is None and row.mean_iou is None) == (not row.source)
        assert not re.search(r"-[0-9a-f]{8}\.", row.file) or row.sha256[:8] in row.file
        assert row.name.startswith({"ImageNet": "imagenet", "CIFAR-10": "cifar10", "COCO": "voc"}[row.trained_on])


def test_the_usual_weights_come_first():
    for model in {row.model for row in ROWS}:
        rows = published_weights(model)
        assert weights_called(model) == rows[0]
        assert rows[0].name in ("imagenet", "cifar10", "voc")
        assert rows[0].url
    assert published_weights("lenet5") == ()


def test_the_terms_name_the_licence_and_what_was_trained_on():
    assert weights_called("resnet18").terms == "BSD-3-Clause; trained on ImageNet, whose terms are for research and education"
    assert weights_called("resnet20").terms == "BSD-2-Clause; trained on CIFAR-10, which states none"


# Names


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A data folder, and a network with two published files of weights: one that is there and one that is not."""
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path / "data"))
    (tmp_path / "data" / "weights").mkdir(parents=True)
    torch.manual_seed(0)
    source = create_model("resnet20")
    path = tmp_path / "data" / "weights" / "small.pth"
    torch.save(source.state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    preprocess = Preprocess((32, 32), (40, 40), mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6), interpolation="bicubic")
    common = {"model": "resnet20", "size": None, "licence": "MIT", "trained_on": "CIFAR-10", "preprocess": preprocess}
    common |= {"top1": 50.0, "top5": None, "source": "https://example.org"}
    rows = (
        PublishedWeights(name="cifar10", file="small.pth", url="https://example.org/small.pth", sha256=digest[:8], **common),
        PublishedWeights(name="cifar10_v2", file="more/other.pth", url="https://example.org/other.pth", sha256="0" * 8, **common),
        PublishedWeights(name="cifar10_mine", file="mine.pth", url="", sha256="1" * 64, **common),
    )
    monkeypatch.setattr(published, "all_published_weights", lambda: rows)
    monkeypatch.chdir(tmp_path)
    return path


def test_a_name_brings_weights_preprocessing_and_classes(small):
    model = create_model("resnet20", weights="cifar10")
    assert all(torch.equal(value, torch.load(small)[key]) for key, value in model.state_dict().items())
    assert model.preprocess == Preprocess((32, 32), (40, 40), mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6), interpolation="bicubic")
    report = model.weights_report
    assert (report.path, report.class_names, report.lines()) == (small, CIFAR10, [])
    assert report.digest == hashlib.sha256(small.read_bytes()).hexdigest()


def test_rows_of_the_head_are_used_again_by_the_classes_that_the_table_knows(small):
    model = create_model("resnet20", weights="cifar10", class_names=("truck", "bus"))
    assert model.weights_report.matched_classes == ("truck",)
    assert torch.equal(model.head.fc.weight[0], torch.load(small)["head.fc.weight"][9])


def test_a_file_comes_before_a_name_and_a_folder_does_not(small, tmp_path):
    (tmp_path / "cifar10").mkdir()
    assert named_weights("resnet20", "cifar10") is not None
    (tmp_path / "cifar10").rmdir()
    other = create_model("resnet20").state_dict()
    torch.save(other, tmp_path / "cifar10")
    assert named_weights("resnet20", "cifar10") is None
    model = create_model("resnet20", weights="cifar10")
    assert all(torch.equal(value, other[key]) for key, value in model.state_dict().items())
    assert model.preprocess == MODELS["resnet20"].preprocess


@pytest.mark.parametrize("path", ["none.pth", "folder/cifar10", "./cifar10", "~/cifar10"])
def test_what_looks_like_a_path_is_one(small, path):
    text = refused(WeightsError, "resnet20", weights=path)
    assert text.startswith("expected: a file of weights\nfound: ")
    assert text.endswith(": No such file or directory\nto do: give the path of a safetensors file or a state dict")


def test_a_path_is_no_name(small, tmp_path):
    assert named_weights("resnet20", tmp_path / "cifar10") is None


def test_a_misspelt_name_brings_a_suggestion(small):
    assert refused(UsageError, "resnet20", weights="cifar100") == (
        "expected: the name of published weights of resnet20 (cifar10, cifar10_v2, cifar10_mine), or a file of weights\n"
        "found: 'cifar100', no file and no such name\nto do: did you mean cifar10 or cifar10_v2 or cifar10_mine?"
    )
    assert refused(UsageError, "lenet5", weights="mnist") == (
        "expected: a file of weights\nfound: 'mnist', no file, and none are published for lenet5\n"
        "to do: give the path of a safetensors file or a state dict"
    )


def test_weights_that_are_not_here_are_told_with_their_address_and_their_place(small, tmp_path):
    small.unlink()
    place = tmp_path / "data" / "weights"
    digits = weights_called("resnet20").sha256
    assert refused(SurroundingsError, "resnet20", weights="cifar10") == (
        f"expected: the weights cifar10 of resnet20: small.pth, SHA-256 {digits}…\nfound: no {place / 'small.pth'}\n"
        "to do: neocog fetch resnet20, or put https://example.org/small.pth there by hand"
    )
    assert refused(SurroundingsError, "resnet20", weights="cifar10_v2") == (
        f"expected: the weights cifar10_v2 of resnet20: other.pth, SHA-256 00000000…\nfound: no {place / 'more' / 'other.pth'}\n"
        "to do: neocog fetch resnet20 --weights cifar10_v2, or put https://example.org/other.pth there by hand"
    )
    assert refused(SurroundingsError, "resnet20", weights="cifar10_mine") == (
        f"expected: the weights cifar10_mine of resnet20: mine.pth, SHA-256 {'1' * 64}\nfound: no {place / 'mine.pth'}\n"
        "to do: put the file there by hand"
    )


@pytest.mark.parametrize("content", [b"", b"<html>", None])
def test_other_bytes_than_the_published_are_refused_before_they_are_read(small, content):
    small.write_bytes(small.read_bytes()[:5000] if content is None else content)
    found = hashlib.sha256(small.read_bytes()).hexdigest()
    assert refused(WeightsError, "resnet20", weights="cifar10") == (
        f"expected: small.pth as it was published, SHA-256 {weights_called('resnet20').sha256}…\n"
        f"found: {small} with SHA-256 {found}\nto do: take the file away, and fetch it again"
    )


def test_weights_by_name_are_checked_against_the_architecture(small, monkeypatch):
    row = weights_called("resnet20")
    monkeypatch.setattr(published, "all_published_weights", lambda: (PublishedWeights(**{**vars(row), "model": "resnet18"}),))
    assert refused(WeightsError, "resnet18", weights="cifar10").startswith(f"expected: weights of resnet18\nfound: {small}, another ")


def test_what_can_be_asked_for_by_name():
    with pytest.raises(UsageError) as caught:
        weights_called("resnet50", "imagenet_v3")
    assert str(caught.value) == (
        "expected: the name of published weights of resnet50\nfound: 'imagenet_v3'\nto do: did you mean imagenet_v2 or imagenet?"
    )
    with pytest.raises(UsageError) as caught:
        weights_called("lenet5")
    assert str(caught.value) == (
        "expected: an architecture with published weights\nfound: lenet5, which has none\nto do: train it: neocog train DATA --model lenet5"
    )


def test_how_a_row_is_fetched():
    download = weights_called("resnet20").download
    assert download.folder == "weights/resnet_cifar10"
    assert [(file.name, file.size) for file in download.files] == [("resnet20-12fca82f.th", 1_099_231)]
    assert download.mirrors == ("https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/",)
    assert weights_called("squeezenet1_1", "imagenet_ncnn").download.mirrors == ()
    assert weights_called("resnet50").download.mirrors == ("https://download.pytorch.org/models/",)


# Real files


@pytest.fixture(scope="module")
def photos(real_data):
    """Every eleventh of the photos, resized and cropped as published weights want them, and their classes' ids."""
    folders = sorted(path for path in (real_data / "imagenet-sample").iterdir() if path.is_dir())[::11]
    pictures = [cover(decode(next(folder.iterdir()).read_bytes()), (256, 256))[:, 16:240, 16:240] for folder in folders]
    return torch.stack(pictures).float() / 255, [folder.name for folder in folders]


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "weights"),
    [("mobilenet_v2", "imagenet_int8"), ("squeezenet1_0", "imagenet_deepcompression"), ("squeezenet1_1", "imagenet_ncnn")],
)
def test_weights_that_are_here_name_photos(name, weights, photos, real_data):
    model = create_model(name, weights=weights)
    assert model.weights_report.lines() == []
    assert model.weights_report.class_names == tuple(item.name for item in imagenet_classes())
    assert bool(folded_norms(model)) == (name == "mobilenet_v2")
    images, ids = photos
    with torch.inference_mode():
        best = model.eval()(model.preprocess.normalise(images)).argmax(dim=1).tolist()
    right = sum(imagenet_classes()[index].wnid == wnid for index, wnid in zip(best, ids, strict=True))
    assert len(ids) == 31
    assert right > 0.6 * len(ids)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("depth", "count"), [(20, 500), *(pytest.param(depth, 2000, marks=pytest.mark.slow) for depth in (20, 32, 44, 56))]
)
def test_weights_that_are_here_classify_cifar10(depth, count, real_data):
    """On the JPEG copy of CIFAR-10, where networks trained on the original pixels lose about a tenth."""
    name = f"resnet{depth}"
    model = create_model(name, weights="cifar10").eval()
    assert model.weights_report.lines() == []
    row = weights_called(name)
    best = torch.load(row.path, map_location="cpu", weights_only=True)["best_prec1"]
    assert row.top1 == pytest.approx(best, abs=0.3)  # of the file's own training, of which the page gives several
    dataset = open_dataset("cifar10")
    assert dataset.class_names == model.weights_report.class_names == CIFAR10
    rows = [index for index in range(len(dataset)) if dataset.given_split(index) == "test"][:count]
    images = torch.stack([dataset.picture(index) for index in rows]).float() / 255
    labels = torch.tensor([dataset.target(index).index for index in rows])
    with torch.inference_mode():
        logits = model(model.preprocess.normalise(images))
    assert (logits.argmax(dim=1) == labels).float().mean() > 0.79


@pytest.mark.realdata
@pytest.mark.parametrize("row", [row for row in ROWS if len(row.sha256) == 64], ids=lambda row: f"{row.model}-{row.name}")
def test_files_that_are_here_are_the_published_ones(row, real_data):
    if not row.path.is_file():
        pytest.skip(f"{row.path.name} is not here")
    assert row.path.stat().st_size == row.size
    assert open_weights(row.model, row.name).digest == row.sha256
