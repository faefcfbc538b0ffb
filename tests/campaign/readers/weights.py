"""Weights and checkpoints: safetensors, torch's state dicts, and the class names beside them."""

import io
import json
import pickle
import zipfile
from collections import OrderedDict
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from campaign.case import Case, Reader, Wrong
from campaign.mutations import MAGICS, Mutation, damaged, mutated
from campaign.readers.published import Trap
from campaign.readers.runs import finished_run, write_run
from campaign.values import ODD_TEXTS, as_text, bounded, json_text

__all__ = ["READERS"]

DTYPES = (
    *("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "I16", "U16", "F16", "BF16", "I32", "U32", "F32"),
    *("C64", "F64", "I64", "U64", "F4", "F6_E2M3", "F6_E3M2", "f32", ""),
)


def _parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and numbers of a safetensors file; an empty header for what is none."""
    length = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError):
        header = {}
    return header if isinstance(header, dict) else {}, data[8 + length :]


def _joined(header: bytes, numbers: bytes) -> bytes:
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + numbers


def _header(data: bytes, random: Random) -> bytes:
    """Another value somewhere in the header."""
    header, numbers = _parts(data)
    return _joined(json_text(header, random), numbers)


def _tensor(data: bytes, random: Random) -> bytes:
    """Another type, shape or place of a tensor."""
    header, numbers = _parts(data)
    names = [name for name in header if name != "__metadata__"]
    if not names or not isinstance(header[names[0]], dict):
        return data
    facts = header[random.choice(names)]
    deed = random.randrange(4)
    if deed == 0:
        facts["dtype"] = random.choice(DTYPES)
    elif deed == 1:
        facts["shape"] = random.choice(
            ([], [0], [1], [2**62, 4], [-1], list(reversed(facts["shape"])), [1, *facts["shape"]], [1.5], [1] * 100)
        )
    elif deed == 2:
        facts["data_offsets"] = random.choice(([0, 0], [0, 4], [4, 0], [0, 2**63], [0], list(header[names[0]]["data_offsets"])))
    else:
        header[random.choice(("", "x", "head.weight", "a" * 5000, "__metadata__", "module.x"))] = facts
    return _joined(json.dumps(header).encode(), numbers)


def _metadata(data: bytes, random: Random) -> bytes:
    """Another value in what a file of ours says of itself."""
    header, numbers = _parts(data)
    if not isinstance(header.get("__metadata__"), dict) or "neocog" not in header["__metadata__"]:
        return data
    try:
        facts = json.loads(header["__metadata__"]["neocog"])
    except (ValueError, RecursionError, TypeError):
        facts = {}
    header["__metadata__"]["neocog"] = json_text(facts, random).decode("utf-8", "replace")
    return _joined(json.dumps(header).encode(), numbers)


SAFETENSORS: tuple[Mutation, ...] = (_header, _tensor, _metadata, _metadata)


def _write_safetensors(case: Case) -> None:
    """Weights of a run without a manifest, so that no hash protects them."""
    write_run(
        case, {"weights.safetensors": mutated(finished_run()["weights.safetensors"], case.random, SAFETENSORS), "manifest.json": None}
    )


def _read_weights(case: Case) -> None:
    from neocog.errors import NeocogError
    from neocog.run import RunFolder, load_run

    path = case.given / "run" / "weights.safetensors"
    try:
        _use(path)
    except NeocogError:
        if case.random.random() < 0.5:
            raise
    load_run(RunFolder.open(case.given / "run"))


def _use(path: Path) -> None:
    """Read a file, and give it to two networks: one that it may be of, and one of other sizes."""
    from neocog.errors import NeocogError
    from neocog.models import create_model, read_state
    from neocog.run.trained import make_on_the_spot

    state = read_state(path)
    json.dumps([state.model, state.class_names, state.preprocess and state.preprocess.to_dict()])
    names = [f"class {number}" for number in range(4)]
    try:
        create_model("mlp", weights=path, image_size=(9, 9), class_names=names, widths=(5,))
    except NeocogError as error:
        str(error)
    made = make_on_the_spot("softmax_regression", path)
    if made.model.num_classes != len(made.class_names):
        raise Wrong(f"{len(made.class_names)} names for {made.model.num_classes} outputs")


@cache
def _state() -> Any:
    import torch

    torch.manual_seed(0)
    import neocog

    return neocog.create_model("softmax_regression").state_dict()


def _saved(value: Any, random: Random) -> bytes:
    import torch

    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=random.random() < 0.6)
    return file.getvalue()


def _odd_state(case: Case) -> Any:
    """What somebody may have saved in place of a state dict."""
    import torch

    random = case.random
    state = dict(_state())
    name = random.choice(sorted(state))
    itself: dict[str, Any] = {}
    itself["state_dict"] = itself
    nested: Any = state
    for _ in range(random.choice((1, 2, 300))):
        nested = {random.choice(("state_dict", "model", "model_state_dict")): nested}
    odd = (
        *({"epoch": 3, "state_dict": state}, {f"module.{key}": value for key, value in state.items()}, nested, itself, {}, [], 5, None),
        *(state[name], list(state.values()), {name: 5}, {3: state[name]}, {None: state[name]}, OrderedDict(state)),
        *({**state, name: value} for value in _odd_tensors(state[name])),
        *({**state, "hook": Trap(str(case.given / "trapped"))}, {"state_dict": Trap(str(case.given / "trapped"))}, torch.nn.Linear(2, 2)),
    )
    return odd[random.randrange(len(odd))]


def _odd_tensors(tensor: Any) -> list[Any]:
    import torch

    return [
        *(
            tensor.double(),
            tensor.half(),
            tensor.to(torch.complex64),
            tensor.to(torch.int8),
            tensor > 0,
            tensor.to_sparse(),
            tensor.bfloat16(),
        ),
        *(
            torch.zeros(1).expand(1 << 40),
            torch.empty(0),
            torch.tensor(1.0),
            torch.full_like(tensor, float("nan")),
            tensor[None],
            tensor.t(),
        ),
        *(torch.nn.Parameter(tensor), torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8), torch.zeros(10**6), tensor.to("meta")),
    ]


def _repacked(data: bytes, random: Random) -> bytes:
    """A member of the archive that is damaged, missing, packed, locked or of another name, with right checksums."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except Exception:
        return data
    place = random.randrange(len(members))
    name, content = members.pop(place)
    again = {
        "damaged": [(name, damaged(content, random))],
        "missing": [],
        "doubled": [(name, content)] * 2,
        "renamed": [(random.choice((name + "x", "../x", "data.pkl", "x/data.pkl", "constants.pkl")), content)],
    }
    members[place:place] = again[random.choice(sorted(again))]
    file = io.BytesIO()
    with zipfile.ZipFile(
        file, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
    ) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def _entry(data: bytes, random: Random) -> bytes:
    """A field of the archive's directory: flags, method, sizes."""
    place = data.find(random.choice((b"PK\x01\x02", b"PK\x05\x06", b"PK\x03\x04", b"PK\x06\x06")), random.randrange(max(len(data), 1)))
    if place < 0:
        return data
    place += random.randrange(4, 46)
    return data[:place] + bytes([random.choice((0, 1, 8, 9, 14, 65, 255, random.randrange(256)))]) + data[place + 1 :]


STATE_DICT: tuple[Mutation, ...] = (_repacked, _entry, _entry)


def _write_state_dict(case: Case) -> None:
    random = case.random
    if random.random() < 0.4:
        value = _odd_state(case)
        try:
            data = _saved(value, random)
        except Exception:  # torch saves no such thing
            data = pickle.dumps({"x": Trap(str(case.given / "trapped"))})
        if random.random() < 0.3:
            data = damaged(data, random, STATE_DICT)
    else:
        data = mutated(_saved(dict(_state()), random), random, STATE_DICT)
    (case.given / "weights.pth").write_bytes(data)


def _read_state_dict(case: Case) -> None:
    _use(case.given / "weights.pth")


def _signed_anew(data: bytes, random: Random) -> bytes:
    """A checkpoint that another version may have written: other facts, whose checksum is right."""
    import safetensors.torch

    from neocog.training.checkpoint import _digest

    header, _ = _parts(data)
    facts = json.loads(header["__metadata__"]["neocog"])
    part = random.choice(("state", "state", "preprocess"))
    deed = random.randrange(3)
    if deed == 0:
        del facts[part][random.choice(sorted(facts[part]))]
    elif deed == 1:
        facts[part]["of the future"] = 1
    else:
        facts[part] = random.choice((None, [], 3, "x", {}))
    tensors = safetensors.torch.load(data)
    if random.random() < 0.2:
        tensors.pop(random.choice(sorted(tensors)))
    facts["sha256"] = _digest(tensors, {name: facts[name] for name in ("state", "preprocess")})
    return safetensors.torch.save(tensors, {"neocog": json.dumps(facts)})


def _checkpoints() -> list[str]:
    return sorted(name for name in finished_run() if name.startswith("checkpoint/"))


def _write_checkpoint(case: Case) -> None:
    """A run whose newest checkpoint is damaged, sometimes the one before it too, sometimes with other files beside them."""
    random, changed = case.random, dict[str, bytes | None]()
    for name in _checkpoints()[-1:] if random.random() < 0.7 else _checkpoints():
        data = finished_run()[name]
        changed[name] = _signed_anew(data, random) if random.random() < 0.25 else mutated(data, random, SAFETENSORS)
    if random.random() < 0.15:
        odd = ("step-x", "step-000000003 (copy)", "step-", "step-0000000000000000001", "mine", "step--00000001", "step-000000099")
        changed[f"checkpoint/{random.choice(odd)}.safetensors"] = random.choice(
            (b"", finished_run()[_checkpoints()[0]], random.choice(MAGICS))
        )
    write_run(case, {**changed, "manifest.json": None})


def _read_checkpoint(case: Case) -> None:
    """What was written is found to the last bit, or refused."""
    import shutil

    from neocog.batch import Preprocess
    from neocog.training.checkpoint import latest, prune

    copy = Path(shutil.copytree(case.given / "run" / "checkpoint", case.own / "checkpoint"))
    prune(copy, {}, 0)
    found, faults = latest(case.given / "run" / "checkpoint")
    if any(not isinstance(fault, str) for fault in faults) or found is None:
        raise Wrong(f"{found}, {faults}")
    Preprocess.from_dict(found.preprocess)
    found.part("model"), found.part("optimizer")
    step, written = found.state.step, json.loads(_parts(found.path.read_bytes())[0]["__metadata__"]["neocog"])["state"]
    if step != written.get("step", 0):
        raise Wrong(f"step {step} of {written}")


def _write_classes(case: Case) -> None:
    random = case.random
    lines = [f"class {number}" for number in range(10)]
    for _ in range(random.choice((0, 1, 2))):
        lines[random.randrange(len(lines))] = random.choice((*ODD_TEXTS, "", "class 1"))
    if random.random() < 0.1:
        lines = random.choice(([], lines[:9], lines * 2, lines * 10_000))
    data = as_text("\n".join(bounded(lines)) + random.choice(("\n", "")), random)
    path = case.given / "classes.txt"
    path.mkdir() if random.random() < 0.02 else path.write_bytes(data if random.random() < 0.6 else mutated(data, random))


def _read_classes(case: Case) -> None:
    from neocog.run.trained import make_on_the_spot

    made = make_on_the_spot("softmax_regression", None, case.given / "classes.txt")
    if len(made.class_names) != made.model.num_classes:
        raise Wrong(f"{len(made.class_names)} names for {made.model.num_classes} outputs")


READERS = (
    Reader("safetensors", _write_safetensors, _read_weights),
    Reader("state dict", _write_state_dict, _read_state_dict),
    Reader("checkpoint", _write_checkpoint, _read_checkpoint),
    Reader("class names", _write_classes, _read_classes),
)
