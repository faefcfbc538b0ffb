import pytest
import torchvision

from neocog.batch import Preprocess
from neocog.models import MODELS, adapt_preprocess

RGB = Preprocess((224, 224), (256, 256))


def test_the_default_names_are_there():
    assert {"softmax_regression", "mlp", "lenet5", "small_convnet", "resnet18", "resnet20", "vgg16", "mobilenet_v2"} <= set(MODELS)


def test_nothing_changes_where_nothing_differs():
    assert adapt_preprocess(RGB, 3, (224, 224)) == RGB


@pytest.mark.parametrize(("channels", "mean"), [(1, (0.449,)), (3, RGB.mean), (4, (*RGB.mean, 0.449))])
def test_channels_get_the_average_mean(channels, mean):
    adapted = adapt_preprocess(RGB, channels, (224, 224))
    assert adapted.mean == pytest.approx(mean, abs=1e-6)
    assert len(adapted.std) == adapted.channels == channels


def test_grey_becomes_colour_by_repetition():
    grey = Preprocess((28, 28), (28, 28), channels=1, mean=(0.1307,), std=(0.3081,))
    assert adapt_preprocess(grey, 3, (28, 28)).mean == (0.1307,) * 3


def test_the_canvas_keeps_its_proportion():
    assert adapt_preprocess(RGB, 3, (112, 196)).resize == (128, 224)


def test_known_weight_files_are_named_once():
    files = [file for name in MODELS for file in MODELS[name].weights]
    assert len(files) == len(set(files))


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "vgg16", "mobilenet_v2"])
def test_weight_files_and_preprocessing_are_torchvisions(name):
    published = torchvision.models.get_model_weights(name).IMAGENET1K_V1
    entry = MODELS[name]
    transforms = published.transforms()
    assert published.url.rsplit("/", 1)[1] in entry.weights
    assert (list(entry.preprocess.mean), list(entry.preprocess.std)) == (transforms.mean, transforms.std)
    assert (transforms.crop_size, transforms.resize_size) == ([entry.preprocess.size[0]], [entry.preprocess.resize[0]])
