"""Grey photographs for denoising: 400 to train on, 180 x 180 pixels, and the 68 that denoisers are measured on.

D. Martin, C. Fowlkes, D. Tal, J. Malik: A database of human segmented natural images (2001),
https://doi.org/10.1109/ICCV.2001.937655; this choice of pictures: Y. Chen, T. Pock: Trainable nonlinear reaction
diffusion (2017), https://doi.org/10.1109/TPAMI.2016.2596743.
"""

from pathlib import Path

from neocog.data.clean import CleanFiles
from neocog.data.dataset import Split, TaskName
from neocog.data.listing import has_pictures, list_pictures
from neocog.data.registry import DATASETS, NamedSet, published_folder
from neocog.options import NoOptions

LICENCE = "research use"
FOLDERS: dict[str, Split] = {"train": "train", "Set68": "test"}


def _complete(folder: Path) -> bool:
    return all((folder / name).is_dir() and has_pictures(folder / name) for name in FOLDERS)


def find() -> Path:
    """The folder of train and Set68."""
    return published_folder("bsd", ("bsd", "BSD"), _complete, "train/ and Set68/", fetched=False)


def open_bsd(task: TaskName, options: NoOptions) -> CleanFiles:
    """Train as train, Set68 as test."""
    folder = find()
    files: list[str] = []
    splits: list[Split | None] = []
    for name, split in FOLDERS.items():
        found = list_pictures(folder / name).files
        files += [f"{name}/{file}" for file in found]
        splits += [split] * len(found)
    dataset = CleanFiles("bsd", folder, files, splits=splits, notes=(f"bsd: pictures in {folder}",))
    dataset.licence = LICENCE
    return dataset


DATASETS.add_named(
    NamedSet(
        "bsd",
        "grey photographs for denoising, 400 to train on and Set68 to test; put in place by hand",
        LICENCE,
        open_bsd,
        ("denoise",),
        find=find,
    )
)
