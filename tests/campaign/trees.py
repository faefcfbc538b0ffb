"""Ways in which a folder of pictures is not as it should be."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

from campaign.case import entries
from campaign.mutations import damaged

__all__ = ["disturb", "write_tree"]

UNUSUAL = (
    *(
        "a b",
        "é",
        "日本語",
        "emoji 🐛",
        "-rf",
        "--help",
        "a'b\"c",
        "a\\b",
        "a\nb",
        "a\rb",
        "a\tb",
        "%s",
        "{x}",
        "$HOME",
        "~",
        "con",
        "a;b,c",
    ),
    *("x" * 200, "\u202egnp", "e\u0301", "[red]x", "#", "'", '"', ",", "NUL", "a\x1b[31mb", "\x7f", os.fsdecode(b"\xe9\xff")),
)
SUFFIXES = (".png", ".jpg", ".JPEG", ".tif", ".gif", ".webp", ".bmp", ".ppm", ".txt", "", ".png.png", ".PnG", ". png", ".svg", ".csv")


def write_tree(root: Path, files: Mapping[str, bytes]) -> None:
    """Put files below a folder."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def disturb(root: Path, random: Random) -> None:
    """Do a few odd things to a folder of pictures, one after the other."""
    for _ in range(random.choice((1, 1, 2, 3, 5))):
        files = [path for path in entries(root) if path.is_file() and not path.is_symlink()]
        folders = sorted({path.parent for path in files} - {root})
        if not files or not folders:
            return
        random.choice(DEEDS)(random.choice(files), random.choice(folders), random)
    if random.random() < 0.1:  # at last, for it binds this process too
        _make_unreadable(root, random)


def _suffix(file: Path, folder: Path, random: Random) -> None:
    _moved(file, file.with_name(file.stem + random.choice(SUFFIXES)))


def _unusual_file(file: Path, folder: Path, random: Random) -> None:
    _moved(file, file.with_name(random.choice(UNUSUAL) + file.suffix))


def _unusual_folder(file: Path, folder: Path, random: Random) -> None:
    _moved(folder, folder.with_name(random.choice(UNUSUAL)))


def _split_folder(file: Path, folder: Path, random: Random) -> None:
    _moved(folder, folder.with_name(random.choice(("train", "VAL", "Test", "valid", "validation", ".hidden", "__MACOSX", "n00000001"))))


def _moved(old: Path, new: Path) -> None:
    if len(str(new)) < 2000 and not new.exists():
        old.rename(new)


def _content(file: Path, folder: Path, random: Random) -> None:
    file.write_bytes(damaged(file.read_bytes(), random))


def _empty(file: Path, folder: Path, random: Random) -> None:
    file.write_bytes(b"")


def _deep(file: Path, folder: Path, random: Random) -> None:
    depth = random.choice((3, 50, 500, 1200))
    place = folder
    for _ in range(depth):
        place = place / "d"
    if len(str(place)) < 3500 and not place.exists():
        _make_step_by_step(folder, depth)
        (place / file.name[:50]).write_bytes(file.read_bytes())


def _make_step_by_step(folder: Path, depth: int) -> None:
    """Path.mkdir calls itself for each folder above."""
    for _ in range(depth):
        folder = folder / "d"
        folder.mkdir(exist_ok=True)


def _link(file: Path, folder: Path, random: Random) -> None:
    place = folder / f"link{random.randrange(1000)}{random.choice(('.png', ''))}"
    targets = (file, folder, folder.parent, place, "/dev/zero", "/dev/null", "nowhere.png", "/proc/self/mem", "../" * 60, "/dev/stdin")
    if not place.is_symlink():
        place.symlink_to(random.choice(targets))


def _link_of_class(file: Path, folder: Path, random: Random) -> None:
    place = folder.with_name(f"class{random.randrange(1000)}")
    if not place.is_symlink():
        place.symlink_to(random.choice((folder, folder.parent, "nowhere", place)))


def _pipe(file: Path, folder: Path, random: Random) -> None:
    place = random.choice((folder, folder.parent)) / random.choice(("pipe.png", "pipe.csv", "pipe", "train"))
    if not place.exists():
        os.mkfifo(place)


def _make_unreadable(root: Path, random: Random) -> None:
    places = [path for path in entries(root) if not path.is_symlink()]
    random.choice([root, *places]).chmod(random.choice((0o000, 0o200, 0o100, 0o400)))


def _folder_like_a_file(file: Path, folder: Path, random: Random) -> None:
    place = folder / random.choice(("x.png", "y.jpg", "table.csv"))
    if not place.exists():
        place.mkdir()


def _file_like_a_folder(file: Path, folder: Path, random: Random) -> None:
    place = folder.parent / random.choice(("train", "cat", "table.csv", "images", "annotations", "data.yaml"))
    if not place.exists():
        place.write_bytes(random.choice((b"", b"path,label\n", b"path,label\ncat/0.png,x\n", b"\xff\xfe", b"path,label\n\xff")))


def _empty_folder(file: Path, folder: Path, random: Random) -> None:
    (folder.parent / random.choice(("empty", "test", "val"))).mkdir(exist_ok=True)


def _copy(file: Path, folder: Path, random: Random) -> None:
    place = folder / f"copy{random.randrange(1000)}.png"
    if not place.exists():
        place.write_bytes(file.read_bytes()) if random.random() < 0.5 else os.link(file, place)


def _gone(file: Path, folder: Path, random: Random) -> None:
    file.unlink()


DEEDS: tuple[Callable[[Path, Path, Random], None], ...] = (
    *(_suffix, _unusual_file, _unusual_folder, _split_folder, _content, _content, _empty, _deep, _link, _link, _link_of_class),
    *(_pipe, _folder_like_a_file, _file_like_a_folder, _empty_folder, _copy, _gone),
)
