"""ImageNet's thousand classes (ILSVRC 2012), as a person has laid them out by hand.

O. Russakovsky et al.: ImageNet large scale visual recognition challenge (2015), https://arxiv.org/abs/1409.0575.
Its terms do not let anybody pass the pictures on, so there is no fetching.
"""

from pathlib import Path

from neocog.data.dataset import TaskName
from neocog.data.files import LabelledFiles
from neocog.data.layouts.class_folders import open_class_folders
from neocog.data.layouts.wordnet_folders import Options, recognise
from neocog.data.registry import DATASETS, NamedSet, published_folder

LICENCE = "non-commercial research (ImageNet's terms of access)"
PLACES = ("imagenet", "ILSVRC2012", "ILSVRC/Data/CLS-LOC")


def _complete(folder: Path) -> bool:
    return (folder / "train").is_dir() and (folder / "val").is_dir() and recognise(folder) is not None


def find() -> Path:
    """The folder of train and val."""
    return published_folder("imagenet", PLACES, _complete, "train/ and val/, each with a folder per WordNet id,", fetched=False)


def open_imagenet(task: TaskName, options: Options) -> LabelledFiles:
    """The pictures in train and val, with a folder per WordNet id in both."""
    folder = find()
    dataset = open_class_folders(folder, f"imagenet: folders of WordNet ids in {folder}", options.class_names, "imagenet")
    dataset.licence = LICENCE
    return dataset


DATASETS.add_named(
    NamedSet(
        "imagenet",
        "1,281,167 + 50,000 photos, a thousand classes; put in place by hand",
        LICENCE,
        open_imagenet,
        Options=Options,
        find=find,
    ),
)
