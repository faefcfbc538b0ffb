import pytest

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
