"""An encoder and a decoder without connections between them: what U-Net is without its skips, to compare with.

Everything is as in `unet` but for what is appended to the expanding path: all that the decoder knows of the picture has
passed through the coarsest map. The form is that of

H. Noh, S. Hong, B. Han, "Learning Deconvolution Network for Semantic Segmentation", 2015,
https://arxiv.org/abs/1505.04366

in which convolutions contract and transposed convolutions expand; that network also unpools by stored places, as
`segnet` does here.
"""

from neocog.batch import Preprocess
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network
from neocog.models.unet import Options, two_paths

__all__ = ["encoder_decoder"]


def encoder_decoder(spec: ModelSpec) -> Network:
    """Both paths, joined at the coarsest map only."""
    return two_paths(spec, skips=False)


MODELS.add_named(
    Entry(
        name="encoder_decoder",
        build=encoder_decoder,
        year=2015,
        paper="H. Noh, S. Hong, B. Han, Learning Deconvolution Network for Semantic Segmentation, 2015, https://arxiv.org/abs/1505.04366",
        preprocess=Preprocess((256, 256), (256, 256)),
        parameters=27_903_106,
        tasks=("segment", "denoise"),
        Options=Options,
        min_size=1,
        channels=(1, 3, 4),
        classes=2,
    ),
)
