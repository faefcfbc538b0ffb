"""One pass over all pictures of a dataset: read, hash, decode, and set aside by name what cannot be used."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePath

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.data.compact import Digests
from neocog.data.dataset import Dataset, content_digest
from neocog.data.files import FileDataset
from neocog.errors import DataError, PictureError
from neocog.images import Facts, Picture, Size, read
from neocog.machine import usable_cores

__all__ = ["Fault", "Note", "Survey", "default_threads", "judge", "survey"]

MOST_THREADS = 32
PICTURES_A_CALL = 16  # that one thread takes at a time
CALLS_WAITING = 4  # for each thread
FEWEST_BAD = 10
MOST_BAD = 0.01
MOST_BITS_DARK = 14  # of 16; a picture that fills 15 may just be dim

KINDS = {
    **dict.fromkeys((".jpg", ".jpeg"), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **dict.fromkeys((".ppm", ".pgm", ".pbm"), "PNM"),
    ".png": "PNG",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".webp": "WebP",
}


@dataclass(frozen=True)
class Fault:
    """A picture that cannot be used.

    Attributes:
        where: its name in the dataset.
        kind: as `PictureError.kind`.
        detail: what was found instead of a picture.
    """

    where: str
    kind: str
    detail: str

    @property
    def reason(self) -> str:
        """Kind and detail, as records name them; the kind once where the detail says it too."""
        return self.detail if self.detail.startswith(self.kind) else f"{self.kind}: {self.detail}"


@dataclass(frozen=True)
class Note:
    """Something about a picture that is worth knowing and does no harm.

    Attributes:
        where: its name in the dataset.
        kind: "cmyk", "animated", "rotated" (by EXIF), "16 bit" (with the power of two that holds all values, where
            it is a quarter of what 16 bits hold or less), "1x1" or "suffix" (another format than the name says).
    """

    where: str
    kind: str


@dataclass(frozen=True)
class Survey:
    """What the pass found; one row a picture, in the dataset's order.

    Attributes:
        sizes: height and width of the upright picture; 0 for what cannot be used.
        channels: 1 or 3, as the file has them; 0 for what cannot be used.
        digests: of the file, or of the pixels where there is none; empty for a file that cannot be read.
        faults: what cannot be used, in the dataset's order.
        notes: what is worth knowing.
    """

    sizes: Int64[Tensor, "n 2"]
    channels: Int64[Tensor, "n"]
    digests: Digests
    faults: list[Fault]
    notes: list[Note]


@dataclass(frozen=True)
class _Seen:
    digest: bytes
    size: Size = (0, 0)
    channels: int = 0
    notes: tuple[str, ...] = ()
    fault: PictureError | None = None


def survey(
    dataset: Dataset,
    *,
    at_least: Size | None = None,
    keep: Callable[[int, Picture], None] | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Survey:
    """Read every picture once, with the decoder that training uses.

    Args:
        dataset: whose pictures.
        at_least: height and width that a decoded picture must still cover.
        keep: takes each decoded picture with its index; called from several threads at once.
        threads: how many read and decode; None for as many as suit the machine.
        progress: told how many pictures are done, of how many.
    """
    total = len(dataset)
    found = Survey(torch.zeros(total, 2, dtype=torch.int64), torch.zeros(total, dtype=torch.int64), Digests.empty(total), [], [])
    if isinstance(dataset, FileDataset):
        _ = dataset.channels  # looked up once, before there are threads

    def look(start: int) -> list[_Seen]:
        return [_look(dataset, index, at_least, keep) for index in range(start, min(start + PICTURES_A_CALL, total))]

    wanted = threads or (default_threads() if isinstance(dataset, FileDataset) else 1)  # drawing does not wait for a disk
    pool = ThreadPoolExecutor(wanted, initializer=torch.set_num_threads, initargs=(1,))
    try:
        done = 0
        for part in _in_order(pool, look, range(0, total, PICTURES_A_CALL), CALLS_WAITING * wanted):
            _take_in(found, dataset, done, part)
            done += len(part)
            if progress is not None:
                progress(done, total)
    finally:
        pool.shutdown(cancel_futures=True)
    return found


def judge(dataset: Dataset, faults: Sequence[Fault], allow_bad: bool = False) -> None:
    """Stop when what is left would mislead.

    Raises:
        DataError: more than 1 % and at least 10 pictures are unreadable (unless `allow_bad`), or a class has
            no picture left.
    """
    total = len(dataset)
    if not allow_bad and len(faults) >= FEWEST_BAD and len(faults) > MOST_BAD * total:
        first = faults[0]
        raise DataError(
            f"at most {MOST_BAD:.0%} of the pictures unreadable",
            f"{len(faults):,} of {total:,}, the first of them {first.where} ({first.detail})",
            "repair them or take them away, or go on without them by --allow-bad",
        )
    classes = dataset.class_indices()
    if classes is None or not faults:
        return
    bad = {fault.where: fault for fault in faults}
    faulty = torch.tensor([where in bad for where in dataset.wheres()])
    left = classes[~faulty].bincount(minlength=len(dataset.class_names))
    before = classes.bincount(minlength=len(dataset.class_names))
    lost = ((left == 0) & (before > 0)).nonzero().flatten().tolist()
    if lost:
        index = int((classes == lost[0]).nonzero()[0])
        raise DataError(
            "a readable picture in every class",
            f"none is left of {dataset.class_names[lost[0]]}; {dataset.where(index)}: {bad[dataset.where(index)].detail}",
            "replace its pictures, or take the class away",
        )


def default_threads() -> int:
    """Twice the cores: while one thread waits for the disk another decodes."""
    return min(MOST_THREADS, 2 * usable_cores())


def _look(dataset: Dataset, index: int, at_least: Size | None, keep: Callable[[int, Picture], None] | None) -> _Seen:
    digest = b""
    try:
        if isinstance(dataset, FileDataset):
            data = dataset.content(index)
            digest = content_digest(data)
            picture, facts = read(data, channels=dataset.mode, at_least=at_least)
            size, channels, notes = (facts.height, facts.width), facts.channels, _notes(facts, dataset.where(index))
        else:
            picture = dataset.picture(index)
            digest = content_digest(picture.contiguous().numpy().data.cast("B"))
            size, channels, notes = (picture.shape[1], picture.shape[2]), picture.shape[0], ()
        dataset.require_target(index, size)
    except PictureError as error:
        return _Seen(digest, fault=error)
    if keep is not None:
        keep(index, picture)
    return _Seen(digest, size, channels, notes)


def _notes(facts: Facts, where: str) -> tuple[str, ...]:
    kind = KINDS.get(PurePath(where).suffix.lower())
    found = {
        "cmyk": facts.cmyk,
        "animated": facts.animated,
        "rotated": facts.orientation != 1,
        _depth_note(facts.bits): facts.depth == 16,
        "1x1": facts.height == facts.width == 1,
        "suffix": kind is not None and kind != facts.kind,
    }
    return tuple(name for name, true in found.items() if true)


def _depth_note(bits: int | None) -> str:
    """Of a 16-bit picture: at depth 8 one that leaves its upper bits empty is nearly black."""
    return "16 bit" if bits is None or bits > MOST_BITS_DARK else f"16 bit, values to {2**bits - 1} of 65535"


def _in_order(pool: ThreadPoolExecutor, look: Callable[[int], list[_Seen]], starts: Iterable[int], waiting: int) -> Iterator[list[_Seen]]:
    """What the calls give, in their order, with no more of them begun ahead than these; `pool.map` would enter all at once."""
    begun: deque[Future[list[_Seen]]] = deque()
    for start in starts:
        begun.append(pool.submit(look, start))
        if len(begun) > waiting:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()


def _take_in(found: Survey, dataset: Dataset, start: int, part: Sequence[_Seen]) -> None:
    rows = slice(start, start + len(part))
    found.sizes[rows] = torch.tensor([seen.size for seen in part], dtype=torch.int64)
    found.channels[rows] = torch.tensor([seen.channels for seen in part], dtype=torch.int64)
    for index, seen in enumerate(part, start):
        found.digests.put(index, seen.digest)
        if seen.fault is not None:
            found.faults.append(Fault(dataset.where(index), seen.fault.kind, seen.fault.found))
        found.notes.extend(Note(dataset.where(index), kind) for kind in seen.notes)
