"""The only downloader: published datasets and weights, checked by SHA-256.

A download that broke goes on where it stopped, a mirror that fails or sends other bytes is followed by the
next, and a file that a person has put in place by hand is checked and kept.
"""

import errno
import gzip
import hashlib
import http.client
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from neocog.errors import DataError, SurroundingsError

__all__ = ["FILES", "Progress", "Published", "PublishedFile", "fetch"]

Progress = Callable[[str, int, int | None], None]
"""Told the name of the file, the bytes that are here, and the bytes of the whole, where they are known."""

TIMEOUT = 30.0  # seconds without a byte
ATTEMPTS = 4  # at one mirror, as long as each brings more bytes than the last
BLOCK = 1 << 20
SHA256_DIGITS = 64
DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)  # of ours, not of a mirror


@dataclass(frozen=True)
class PublishedFile:
    """One file as its publisher offers it.

    Attributes:
        name: of the file.
        size: in bytes; None where the publisher does not say, so that the server's word is taken.
        sha256: of the file, in hexadecimal digits, or the first of them where no more are published.
        content_sha256: of what a gzip file unpacks to, so that a copy packed by another program is known too;
            empty where the bytes themselves count.
    """

    name: str
    size: int | None
    sha256: str
    content_sha256: str = ""

    @property
    def in_words(self) -> str:
        """What is known of its bytes."""
        size = "" if self.size is None else f"{self.size:,} bytes, "
        return f"{size}{self.hash_in_words}"

    @property
    def hash_in_words(self) -> str:
        """SHA-256, or how it begins."""
        return f"SHA-256 {self.sha256}" + ("…" if len(self.sha256) < SHA256_DIGITS else "")


@dataclass(frozen=True)
class Published:
    """A dataset, or a file of weights, that can be fetched.

    Attributes:
        folder: below the data folder, where the files go; for archives, the folder that they contain.
        files: what is offered.
        mirrors: addresses that a file's name is added to, in the order in which they are tried.
        contents: of an archive: the files in its folder.
    """

    folder: str
    files: tuple[PublishedFile, ...]
    mirrors: tuple[str, ...]
    contents: tuple[str, ...] = ()

    @property
    def archive(self) -> bool:
        """Whether the one file is a tar archive, which is unpacked beside itself."""
        return bool(self.contents)

    def place(self, base: Path, file: PublishedFile) -> Path:
        """Where the file goes, and where a person may put it by hand."""
        return base / file.name if self.archive else base / self.folder / file.name


FILES: dict[str, Published] = {
    "mnist": Published(
        "MNIST/raw",
        (
            PublishedFile(
                "train-images-idx3-ubyte.gz",
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            ),
            PublishedFile(
                "train-labels-idx1-ubyte.gz",
                28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            ),
            PublishedFile(
                "t10k-images-idx3-ubyte.gz",
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            ),
            PublishedFile(
                "t10k-labels-idx1-ubyte.gz",
                4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ),
        ),
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    ),
    "fashion-mnist": Published(
        "FashionMNIST/raw",
        (
            PublishedFile(
                "train-images-idx3-ubyte.gz",
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            ),
            PublishedFile(
                "train-labels-idx1-ubyte.gz",
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            ),
            PublishedFile(
                "t10k-images-idx3-ubyte.gz",
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            ),
            PublishedFile(
                "t10k-labels-idx1-ubyte.gz",
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            ),
        ),
        (
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
    ),
    "cifar10": Published(
        "cifar-10-batches-py",
        (PublishedFile("cifar-10-python.tar.gz", 170_498_071, "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"),),
        ("https://www.cs.toronto.edu/~kriz/", "https://cave.cs.toronto.edu/kriz/"),
        ("batches.meta", *(f"data_batch_{number}" for number in range(1, 6)), "test_batch"),
    ),
    "cifar100": Published(
        "cifar-100-python",
        (PublishedFile("cifar-100-python.tar.gz", 169_001_437, "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"),),
        ("https://www.cs.toronto.edu/~kriz/", "https://cave.cs.toronto.edu/kriz/"),
        ("meta", "train", "test"),
    ),
}


class _OtherBytesError(Exception):
    """A mirror sent something else than the published file."""


def fetch(published: Published, folder: Path, *, mirrors: Sequence[str] | None = None, progress: Progress | None = None) -> Path:
    """Download what is published, or what of it is not here yet.

    Args:
        published: what to fetch; the datasets are in `FILES`.
        folder: the data folder.
        mirrors: addresses to take instead of the published ones; each ends with a slash.
        progress: told the name of the file, the bytes that are here, and the bytes of the whole.

    Returns:
        The folder in which the files lie.

    Raises:
        DataError: a file that lies in place is not the published one.
        SurroundingsError: no mirror gives the file, or the disk has no room.
    """
    home = folder / published.folder
    if published.archive and home.is_dir():
        return _complete(home, published)
    try:
        for file in published.files:
            place = published.place(folder, file)
            if place.exists():
                _require_published(place, file)
            else:
                _obtain(file, place, published.mirrors if mirrors is None else mirrors, progress)
            if published.archive:
                _unpack(place, home)
    except OSError as error:
        raise SurroundingsError(
            f"a folder to write in: {folder}", str(error.strerror or error), "free some space, or allow writing"
        ) from error
    return home


def _complete(home: Path, published: Published) -> Path:
    """An archive's folder that is here already."""
    missing = [name for name in published.contents if not (home / name).is_file()]
    if missing:
        raise DataError(f"{', '.join(published.contents)} in {home}", f"no {', '.join(missing)}", "take the folder away, and fetch again")
    return home


def _require_published(place: Path, file: PublishedFile) -> None:
    """Check a file that lies in place; it is never altered."""
    found = _sha256(place)
    if found.startswith(file.sha256) or (file.content_sha256 and _content_sha256(place) == file.content_sha256):
        return
    raise DataError(file.hash_in_words, f"{found} for {place}", "take the file away, and fetch again")


def _obtain(file: PublishedFile, place: Path, mirrors: Sequence[str], progress: Progress | None) -> None:
    by_hand = f"put the file by hand at {place}"
    if not mirrors:
        raise SurroundingsError(f"an address of {file.name}, {file.in_words}", "none is known", by_hand)
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(place.name + ".part")
    if file.size is not None:
        _require_room(part, file.size, file.name)
    failures = []
    for mirror in mirrors:
        try:
            _from_mirror(mirror + file.name, file, part, progress)
        except (OSError, http.client.HTTPException, _OtherBytesError) as error:
            if isinstance(error, OSError) and error.errno in DISK_FAULTS:
                raise
            failures.append(f"{mirror}: {_reason(error)}")
        else:
            part.replace(place)
            return
    raise SurroundingsError(
        f"{mirrors[0]}{file.name}, {file.in_words}", f"no mirror gives it: {'; '.join(failures)}", f"try again later, or {by_hand}"
    )


def _require_room(part: Path, size: int, name: str) -> None:
    free = shutil.disk_usage(part.parent).free + _length(part)
    if free < size:
        raise SurroundingsError(f"{size:,} bytes for {name}", f"{free:,} free in {part.parent}", "free some space")


def _from_mirror(url: str, file: PublishedFile, part: Path, progress: Progress | None) -> None:
    """Complete the part from one mirror, and check it.

    A part that an earlier download left may be the wrong one: when it was gone on with and the whole does not
    fit, it is fetched anew from its first byte.
    """
    for resumed in (True, False):
        resumed = resumed and part.exists()
        if not resumed:
            part.unlink(missing_ok=True)
        _download(url, file, part, progress)
        found = _sha256(part)
        if found.startswith(file.sha256):
            return
        part.unlink()
        if not resumed:
            raise _OtherBytesError(f"other bytes, SHA-256 {found}")


def _download(url: str, file: PublishedFile, part: Path, progress: Progress | None) -> None:
    """Append to the part until it is whole, going on after a break as long as bytes come."""
    for attempt in range(1, ATTEMPTS + 1):
        before = _length(part)
        if file.size is not None and before >= file.size:
            return
        try:
            _append(url, file, part, progress)
        except urllib.error.HTTPError:
            raise
        except (OSError, http.client.HTTPException):
            if attempt == ATTEMPTS or _length(part) <= before:
                raise
        else:
            return


def _append(url: str, file: PublishedFile, part: Path, progress: Progress | None) -> None:
    """Ask for what the part lacks. A server that has no byte beyond it was asked for all: the hash will tell."""
    have = _length(part)
    headers = {"User-Agent": "neocog", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    if not url.startswith(("http://", "https://")):
        raise _OtherBytesError("not an address of http or https")
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if have and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            error.close()
            return
        raise
    with answer:
        if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            have = 0  # the server does not know ranges and sends the whole
        elif not str(answer.headers.get("Content-Range", "")).startswith(f"bytes {have}-"):
            raise _OtherBytesError("another range than was asked for")
        whole = _whole(answer, have, file)
        if file.size is None and whole is not None:
            _require_room(part, whole, file.name)
        with part.open("r+b" if have else "wb") as out:
            out.seek(have)
            _copy(answer, out, file.name, whole, progress)


def _whole(answer: Any, have: int, file: PublishedFile) -> int | None:
    """Bytes of the whole file: as published, else as the server says; None where neither says."""
    announced = answer.headers.get("Content-Length")
    if announced is None:
        return file.size
    whole = have + int(announced)
    if file.size not in (None, whole):
        raise _OtherBytesError(f"a file of {whole:,} bytes")
    return whole


def _copy(answer: Any, out: BinaryIO, name: str, whole: int | None, progress: Progress | None) -> None:
    have = out.tell()
    while block := answer.read(BLOCK):
        have += len(block)
        if whole is not None and have > whole:
            raise _OtherBytesError(f"more than {whole:,} bytes")
        out.write(block)
        if progress is not None:
            progress(name, have, whole)
    if whole is not None and have < whole:
        raise ConnectionError(f"the connection broke after {have:,} bytes")


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"answers {error.code}"
    text = str(error.reason if isinstance(error, urllib.error.URLError) else error)
    return " ".join(text.split()) or type(error).__name__


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _content_sha256(path: Path) -> str:
    """Of what a gzip file unpacks to; empty when it is none or is damaged."""
    try:
        with gzip.open(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, EOFError, zlib.error):
        return ""


def _unpack(archive: Path, home: Path) -> None:
    """Unpack beside the archive, so that the folder appears whole or not at all."""
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=home.parent) as inside:
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(inside, filter="data")
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise DataError(f"an archive that has the folder {home.name}", f"{archive}: {error}", "take the archive away") from error
        unpacked = Path(inside) / home.name
        if not unpacked.is_dir():
            raise DataError(f"an archive that has the folder {home.name}", f"{archive} has not", "take the archive away, and fetch again")
        unpacked.rename(home)
