"""Files of weights: safetensors, ours or foreign, and torch state dicts. Nothing in them can run."""

import hashlib
import json
import pickle
import pickletools
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import torch
from torch import Tensor

from neocog.batch import Preprocess
from neocog.errors import WeightsError
from neocog.files import write_parts
from neocog.machine import available_memory

__all__ = ["StateFile", "as_bytes", "read_state", "write_weights"]

METADATA_KEY = "neocog"
ZIP = b"PK\x03\x04"
NESTED = ("state_dict", "model_state_dict", "model", "state_dict_ema")
WRAPPERS = ("module.", "_orig_mod.")  # of DataParallel and of torch.compile
LARGEST_HEADER = 100_000_000  # bytes, the limit of the safetensors format
PICKLES_IN_A_FILE = 5  # torch's format before 1.6: magic number, version, system, object, keys
MEMORY_FOR_A_BYTE = 4  # of a file of tensors, at most

ALIGNMENT = 8  # of the tensors' bytes in a safetensors file

DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.bool: "BOOL",
    torch.uint64: "U64",
    torch.uint32: "U32",
    torch.uint16: "U16",
    torch.uint8: "U8",
}
"""What the safetensors format calls them."""

# What a pickle of tensors names; torch.load has already refused whatever it does not know to be harmless.
TENSOR_PARTS = re.compile(
    r"torch\._utils\._rebuild_\w+|torch\.(\w+Storage|Size|Tensor|device|bool|(b?float|u?int|complex)\d\w*)"
    r"|torch\.storage\.\w+|torch\.nn\.parameter\.Parameter|torch\.serialization\._get_layout"
    r"|collections\.(OrderedDict|Counter)|_codecs\.encode|(builtins|__builtin__)\.(set|complex|bytearray)"
)


@dataclass(frozen=True)
class StateFile:
    """What a file of weights holds.

    Attributes:
        path: of the file.
        tensors: by the file's own keys, without the prefixes of wrappers.
        class_names: of the outputs, where the file says so.
        preprocess: how the network wants its images, where the file says so.
        model: name of the architecture, where the file says so.
        digest: SHA-256 of the file, in hexadecimal.
        metadata: all that a file of ours says, those above among it.
    """

    path: Path
    tensors: dict[str, Tensor]
    class_names: tuple[str, ...] | None
    preprocess: Preprocess | None
    model: str | None
    digest: str
    metadata: Mapping[str, Any]


def read_state(path: Path | str, *, sha256: str = "") -> StateFile:
    """Read a safetensors file or a torch state dict, told apart by content; no code in it can run.

    A state dict may be nested under "state_dict" or "model", and its keys prefixed by "module.".

    Args:
        path: of the file.
        sha256: the digits, or the first of them, that the file's SHA-256 must have; any by default.

    Raises:
        WeightsError: no such file, another one than asked for, not weights, damaged, or a pickle that would run
            code (then it says which).
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(16)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(
            "a file of weights", f"{path}: {error.strerror}", "give the path of a safetensors file or a state dict"
        ) from error
    if not digest.startswith(sha256):
        raise WeightsError(
            f"{path.name} as it was published, SHA-256 {sha256}" + ("…" if len(sha256) < len(digest) else ""),
            f"{path} with SHA-256 {digest}",
            "take the file away, and fetch it again",
        )
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < LARGEST_HEADER:
        tensors, metadata = _read_safetensors(path)
    else:
        tensors, metadata = _read_torch(path, head), {}
    if not tensors:
        raise WeightsError("a file of tensors", f"{path} without any", "give a state dict's file")
    try:
        names, preprocess = metadata.get("class_names"), metadata.get("preprocess")
        return StateFile(
            path=path,
            tensors=tensors,
            class_names=None if names is None else _names(names),
            preprocess=None if preprocess is None else Preprocess.from_dict(preprocess),
            model=_model(metadata.get("model")),
            digest=digest,
            metadata=metadata,
        )
    except WeightsError as error:
        raise WeightsError(error.expected, f"{path}: {error.found}", error.remedy) from error
    except TypeError as error:
        raise _damaged(path, error) from error


def write_weights(path: Path | str, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write a safetensors file under a temporary name, flush it, and rename it.

    Equal tensors and metadata give equal bytes. Tensors go from their own memory to the file; one that lies
    elsewhere, or in another order, is copied for as long as it is written.

    Args:
        path: of the file; its folder must exist.
        tensors: by key; on any device, in any memory layout.
        metadata: what JSON can hold: "model", "class_names", "preprocess" and more; may be empty.

    Raises:
        SurroundingsError: the disk is full, or the folder cannot be written to.
    """
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))  # the widest first: all are aligned
    header: dict[str, Any] = {"__metadata__": {METADATA_KEY: json.dumps(dict(metadata), sort_keys=True)}}
    end = 0
    for name in names:
        start, end = end, end + tensors[name].nbytes
        header[name] = {"dtype": DTYPES[tensors[name].dtype], "shape": list(tensors[name].shape), "data_offsets": [start, end]}
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % ALIGNMENT)

    def parts() -> Iterator[bytes | memoryview]:
        yield len(head).to_bytes(8, "little") + head
        for name in names:
            yield as_bytes(tensors[name])

    write_parts(Path(path), parts(), 8 + len(head) + end)


def as_bytes(tensor: Tensor) -> memoryview:
    """The values of a tensor in row-major order, in its own memory where they lie so in main memory, else in a copy."""
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = json.loads((file.metadata() or {}).get(METADATA_KEY, "{}"))
            if not isinstance(metadata, dict):
                raise ValueError("metadata that are no table")
            return _unwrapped({name: file.get_tensor(name) for name in file.keys()}), metadata  # noqa: SIM118 - not a dict
    except MemoryError:
        raise
    except Exception as error:  # types that torch has not, and whatever else damaged bytes lead to
        raise _damaged(path, error) from error


def _read_torch(path: Path, head: bytes) -> dict[str, Tensor]:
    readable = head.startswith((ZIP, b"\x80"))
    try:
        if not readable:
            raise pickle.UnpicklingError("neither a zip archive nor a pickle")
        return _tensors_in(torch.load(path, map_location="cpu", weights_only=True))
    except MemoryError as error:
        if MEMORY_FOR_A_BYTE * path.stat().st_size > available_memory():
            raise
        raise _damaged(path, error) from error  # a length in it is wrong
    except Exception as error:  # damaged bytes may raise anything
        code = _code_in(path)
        if code:
            raise WeightsError(
                "a file of tensors",
                f"{path}, a pickle that would run {', '.join(code[:3])}",
                "do not load it; ask for a safetensors file, or for the state_dict() alone",
            ) from error
        if readable:
            raise _damaged(path, error) from error
        raise WeightsError(
            "a safetensors file or a torch state dict", f"{path}, a file of another kind", "give the file of weights"
        ) from error


def _names(names: Any) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError("class names that are no list of names")
    return tuple(names)


def _model(name: Any) -> str | None:
    if name is not None and not isinstance(name, str):
        raise TypeError("an architecture whose name is no text")
    return name


def _tensors_in(loaded: Any) -> dict[str, Tensor]:
    if not isinstance(loaded, Mapping):
        return {}
    for name in NESTED:
        if isinstance(loaded.get(name), Mapping):
            return _tensors_in(loaded[name])
    tensors = {str(name): value.detach() for name, value in loaded.items() if isinstance(value, Tensor)}
    for name, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.is_meta or tensor.is_quantized or tensor.is_complex():
            raise TypeError(f"{name} holds no plain numbers")
    return _unwrapped(tensors)


def _unwrapped(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in WRAPPERS:
        if tensors and all(name.startswith(prefix) for name in tensors):
            return _unwrapped({name.removeprefix(prefix): tensor for name, tensor in tensors.items()})
    return tensors


def _damaged(path: Path, error: Exception) -> WeightsError:
    detail = (str(error) or type(error).__name__).splitlines()[0][:120]
    return WeightsError("a whole file of weights", f"{path}, damaged or cut short ({detail})", "copy or fetch the file again")


def _code_in(path: Path) -> list[str]:
    """What the file's pickles would import besides the parts of tensors, read without running them."""
    names: list[str] = []
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for member in archive.namelist():
                    if member.endswith(".pkl"):
                        with archive.open(member) as file:
                            names += _imports(file)
        else:
            with path.open("rb") as file:
                if file.read(len(ZIP)) == ZIP:
                    return []  # an archive that was cut short is damaged, not harmful
                file.seek(0)
                for _ in range(PICKLES_IN_A_FILE):
                    names += _imports(file)
    except Exception:  # a damaged archive raises many kinds
        return []
    return sorted({name for name in names if not TENSOR_PARTS.fullmatch(name)})


def _imports(file: Any) -> list[str]:
    """The dotted names that the next pickle of a binary file imports; those before the damage when it is damaged."""
    names: list[str] = []
    pushed: list[str] = []
    memo: dict[int, str] = {}
    try:
        for opcode, argument, _ in pickletools.genops(file):
            if opcode.name in ("GLOBAL", "INST"):
                names.append(str(argument).replace(" ", "."))
            elif opcode.name == "STACK_GLOBAL":
                names.append(".".join(pushed[-2:]))
            elif opcode.name in ("BINGET", "LONG_BINGET", "GET"):
                pushed.append(memo.get(int(str(argument)), ""))
            elif opcode.name in ("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT"):
                memo[len(memo) if argument is None else int(str(argument))] = pushed[-1] if pushed else ""
            else:
                pushed.append(argument if isinstance(argument, str) else "")
    except Exception:  # pickletools raises several kinds on damaged bytes
        return names
    return names
