"""PASCAL VOC: photos of twenty classes of objects, every pixel of some of them labelled.

M. Everingham et al.: The PASCAL visual object classes (VOC) challenge (2010), https://doi.org/10.1007/s11263-009-0275-4.
"""

from pathlib import Path

from neocog.data.dataset import TaskName
from neocog.data.layouts.voc_masks import VocOptions, open_voc_masks, recognise
from neocog.data.masks import MaskedFiles
from neocog.data.registry import DATASETS, NamedSet, published_folder

LICENCE = "Flickr's terms of use"
PLACES = ("VOCdevkit/VOC2012", "VOC2012", "voc", "VOCdevkit/VOC2007", "VOC2007")


def _complete(folder: Path) -> bool:
    return folder.is_dir() and recognise(folder) is not None


def find() -> Path:
    """The folder of JPEGImages and SegmentationClass, of the year 2012 before that of 2007."""
    return published_folder("voc", PLACES, _complete, "JPEGImages/, SegmentationClass/ and ImageSets/", fetched=False)


def open_voc(task: TaskName, options: VocOptions) -> MaskedFiles:
    """The pictures of the lists train and val, with background and twenty classes; 255 is void."""
    folder = find()
    dataset = open_voc_masks(folder, f"voc: PASCAL VOC's folders in {folder}", options, "voc")
    dataset.licence = LICENCE
    return dataset


DATASETS.add_named(
    NamedSet(
        "voc",
        "photos, background and twenty classes of pixels; put in place by hand",
        LICENCE,
        open_voc,
        ("segment",),
        VocOptions,
        find,
    )
)
