"""What `neocog explain` can be asked for: a method that looks into a trained network, and the registry that finds it.

A member is one file of this folder, or of `neocog.explain`, whose methods of attribution all go through
`neocog.examine.attributing`. The command saves what a method found; a method itself writes no file, but a cache in the
run's own folder.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from jaxtyping import Int64
from numpy.typing import NDArray
from torch import Tensor

from neocog.evaluation import Material
from neocog.images import Picture
from neocog.options import NoOptions
from neocog.progress import Progress
from neocog.registry import Registry
from neocog.run import Trained
from neocog.targets import TaskName

__all__ = ["EXAMINATIONS", "Asked", "Examination", "Explanation", "Findings", "Request", "Sheet", "Table", "Takes"]

Takes = Literal["pictures", "data", "nothing"]
"""pictures: files that are named, else some of a dataset. data: the pictures of a dataset, by their split. nothing: the network alone."""


class Asked(NamedTuple):
    """Pictures of a dataset that a network is asked about.

    Attributes:
        material: of the dataset, with its loader.
        split: what the pictures are called: "train", "val", "test" or "all".
        rows: which pictures.
    """

    material: Material
    split: str
    rows: Int64[Tensor, "n"]


@dataclass(frozen=True)
class Request:
    """What is asked of a method.

    Attributes:
        trained: the network.
        options: an instance of the method's Options.
        pictures: files or folders of them; () for some pictures of the data.
        open_data: reads the dataset that was named, or the run's own; raises UsageError where there is none. It is read once,
            however often this is called.
        layer: as it was named; see `neocog.examine.layers`. None for the method's own choice.
        about: index of the class that is asked about; None for the network's decision.
        over_epochs: whether to show how it came about over the epochs that the run kept.
        arrays: whether the numbers behind the sheets are to be kept.
        checked: most pictures that a method of attribution is checked on.
        cascade: at how many points maps are compared while weights are randomised.
        seed: of all draws.
        progress: told of every batch.
    """

    trained: Trained
    options: Any
    open_data: Callable[[], Asked]
    progress: Progress
    pictures: tuple[Path, ...] = ()
    layer: str | None = None
    about: int | None = None
    over_epochs: bool = False
    arrays: bool = False
    checked: int = 8
    cascade: int = 1
    seed: int = 0


@dataclass(frozen=True)
class Sheet:
    """A picture of what was found, fit for a talk: it carries its own title, scales and names.

    Attributes:
        name: of its file without the suffix: small letters, digits, "-" and "_"; no other sheet of the method has it.
        picture: uint8 "3 h w".
        caption: what is to be seen, in one or two sentences, for the page.
    """

    name: str
    picture: Picture
    caption: str = ""


@dataclass(frozen=True)
class Table:
    """Numbers that are printed, and stand on the page.

    Attributes:
        title: stands above.
        headings: one for each column.
        rows: the cells, as many in each row as there are headings.
        right: headings of the columns whose cells are flush right.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[str] = ()


@dataclass(frozen=True)
class Findings:
    """What a method found.

    Attributes:
        facts: as JSON holds them.
        sheets: in the order in which they are to be looked at.
        tables: likewise.
        lines: what is said beside them, each one line.
        arrays: by name, for the npz file; empty unless they were asked for.
    """

    facts: Mapping[str, Any]
    sheets: Sequence[Sheet] = ()
    tables: Sequence[Table] = ()
    lines: Sequence[str] = ()
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Explanation:
    """What was found, and where it was written.

    Attributes:
        found: by the name of the method; several methods of attribution are one, see `neocog.examine.conduct`.
        files: that were written.
    """

    found: Mapping[str, Findings]
    files: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it; arrays and sheets are in the files."""
        return {
            "methods": {name: dict(findings.facts) for name, findings in self.found.items()},
            "tables": [asdict(table) for findings in self.found.values() for table in findings.tables],
            "lines": [line for findings in self.found.values() for line in findings.lines],
            "files": [str(path) for path in self.files],
        }


@dataclass(frozen=True)
class Examination:
    """A method that looks into a trained network.

    Attributes:
        run: does it. Raises UsageError where options, layer and network do not go together.
        summary: what it shows, in one line for the command's help.
        takes: what it looks at beside the network.
        Options: frozen dataclass of what can be chosen; its fields become flags.
        tasks: those that it has a meaning for.
        layered: whether it looks at a layer, which may then be named.
        gradient: whether the network must have gradients.
        stages: whether the network must have stages.
        over_epochs: whether it can show how things came about over the kept epochs.
        source: authors, year, title, link; "" where there is none.
        attributes: whether it tells how much each pixel counts: then several are compared on one sheet.
    """

    run: Callable[[Request], Findings]
    summary: str
    takes: Takes
    Options: type = NoOptions
    tasks: tuple[TaskName, ...] = ("classify",)
    layered: bool = False
    gradient: bool = False
    stages: bool = False
    over_epochs: bool = False
    source: str = ""
    attributes: bool = False


EXAMINATIONS: Registry[Examination] = Registry("a method of explaining", "neocog.examine")
