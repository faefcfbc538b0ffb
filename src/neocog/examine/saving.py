"""What a look into a network leaves on the disk: sheets as PNG, numbers as npz, one page, and a record of all of them."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neocog.errors import UsageError
from neocog.examine.member import Findings
from neocog.examine.page import page
from neocog.files import make_folder, printable, write_atomically, write_json
from neocog.images import encode_png
from neocog.run.folder import RECIPE

__all__ = ["file_names", "require_place", "save_findings"]

PAGE = "page"  # under this name the record keeps the page among the methods


def save_findings(folder: Path, found: Mapping[str, Findings], *, kind: str, title: str, html: bool = False) -> tuple[Path, ...]:
    """Write METHOD-SHEET.png, METHOD.npz where there are arrays, KIND.html where it is asked for, and KIND.json.

    What the same methods wrote there before is replaced, what others wrote stays; KIND.json tells what is whose.

    Args:
        folder: to write to.
        found: by the name of the method.
        kind: "explain" or "attack".
        title: of the page.
        html: whether to write the page.

    Returns:
        the files written.

    Raises:
        UsageError: the folder is a run, or holds a file of such a name that nothing of this kind wrote.
        SurroundingsError: the folder cannot be written to.
    """
    record = require_place(folder, kind, [name for names in file_names(found, kind, html=html).values() for name in names])
    make_folder(folder)
    sheets = {method: [encode_png(sheet.picture) for sheet in findings.sheets] for method, findings in found.items()}
    contents: dict[str, dict[str, bytes]] = {}
    for method, findings in found.items():
        named = zip((_sheet(method, sheet.name) for sheet in findings.sheets), sheets[method], strict=True)
        contents[method] = {**dict(named), **({_arrays(method): _npz(findings.arrays)} if findings.arrays else {})}
    if html:
        contents[PAGE] = {f"{kind}.html": page(title, found, sheets).encode("utf-8", "backslashreplace")}
    for method, files in contents.items():
        for stale in set(record.get(method, {}).get("files", ())) - files.keys():
            if stale.startswith(f"{method}-") or stale == _arrays(method):
                (folder / stale).unlink(missing_ok=True)
        for name, data in files.items():
            write_atomically(folder / name, data)
        facts = found[method].facts if method in found else {}
        record[method] = {"files": sorted(files), **_printable(facts)}
    write_json(folder / f"{kind}.json", record)
    return (*(folder / name for files in contents.values() for name in files), folder / f"{kind}.json")


def file_names(found: Mapping[str, Findings], kind: str, *, html: bool) -> dict[str, list[str]]:
    """The names of the files that `save_findings` writes beside the record, by method."""
    names = {
        method: [*(_sheet(method, sheet.name) for sheet in findings.sheets), *([_arrays(method)] if findings.arrays else [])]
        for method, findings in found.items()
    }
    return {**names, PAGE: [f"{kind}.html"]} if html else names


def require_place(folder: Path, kind: str, names: list[str]) -> dict[str, Any]:
    """What the folder's record says of earlier work of this kind; empty where there is none.

    Args:
        folder: to be written to.
        kind: of the work.
        names: of the files that are to be written.

    Raises:
        UsageError: it is the folder of a run, or has files of these names that the record does not know.
    """
    expected, remedy = f"a folder that holds no other work than neocog {kind}'s", "choose another place with --save"
    if (folder / RECIPE).is_file():
        raise UsageError(expected, f"{folder}, a run", remedy)
    record = _record(folder / f"{kind}.json")
    own = {name for one in (record or {}).values() for name in one["files"]}
    foreign = [name for name in names if name not in own and (folder / name).exists()]
    if record is None:
        foreign.insert(0, f"{kind}.json")
    if foreign:
        raise UsageError(expected, f"{folder / foreign[0]}, which neocog {kind} did not write", remedy)
    return record or {}


def _record(path: Path) -> dict[str, Any] | None:
    """The record; {} where there is none, None where the file is something else."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        return None
    known = isinstance(record, dict) and all(isinstance(one, dict) and _are_names(one.get("files")) for one in record.values())
    return record if known else None


def _are_names(files: Any) -> bool:
    """Whether they are names of files in the folder itself: a record that was tampered with must not lead elsewhere."""
    return isinstance(files, list) and all(isinstance(name, str) and name == Path(name).name and name not in ("", "..") for name in files)


def _sheet(method: str, name: str) -> str:
    return f"{method}-{name}.png"


def _arrays(method: str) -> str:
    return f"{method}.npz"


def _npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _printable(facts: Any) -> Any:
    """The facts with texts that UTF-8 can hold."""
    if isinstance(facts, str):
        return printable(facts)
    if isinstance(facts, Mapping):
        return {printable(str(name)): _printable(value) for name, value in facts.items()}
    return [_printable(value) for value in facts] if isinstance(facts, list | tuple) else facts
