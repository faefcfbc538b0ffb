"""Values that stand where they should not: in JSON, TOML and CSV, and in the text around them."""

import copy
import json
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from campaign.mutations import damaged

__all__ = ["ODD_TEXTS", "as_text", "bounded", "csv_text", "json_text", "toml_text"]

DEEP = 3000  # levels, deeper than Python's recursion goes

ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 10**30, -(10**30), 10**400, 0.5, -0.0, 1e308, float("nan"), float("inf")),
    *("", "x", "\0", "\u2028", "é\r\n", "\ud800", "../../..", "a" * 10_000, "1", "None", "9" * 5000, "9" * 5000 + "x3"),
    *([], {}, [None], [[]], ["x"], {"x": 1}, {"": {}}, [0] * 1000, {"name": "x"}, [1, 2], [1e400, "y"]),
)

ODD_TEXTS = (
    *("", " ", "0", "-1", "1e999", "nan", "1_000", "0x10", "٣", "9" * 5000, "1.5.2", "é", "\0", "\r", '"', '""', "'", "\t", "\\"),
    *("../../etc/passwd", "/dev/zero", "/dev/tty", "a" * 5000, "b" * 200_000, "\u2028", "\ufeff", "=1+1", "None", "train", "test"),
)

TOML_VALUES = (
    *("0", "-1", "1.5", "true", "nan", "-inf", '""', '"x"', "[]", "{}", '["x"]', "[1, 2]", "1979-05-27", "07:32:00", "1e400", "0x10"),
    *('"0x0"', '"9999999999x9999999999"', "9" * 30, "9" * 400, "9" * 5000, f'"{"9" * 5000}x3"', "[" * DEEP, "[" * DEEP + "]" * DEEP),
    *('"\\u0000"', '"é"', "{name = 1}", '{name = "x"}', '{name = "", x = {}}', "[[1], [2]]", '"""', "1 2", ""),
)


def json_text(value: Any, random: Random) -> bytes:
    """A JSON value of which one place holds something else; or whose text is damaged."""
    value = copy.deepcopy(value)
    for _ in range(random.choice((1, 1, 2))):
        value = _changed(value, random)
    text = json.dumps(value)
    if random.random() < 0.05:
        text = text.replace("null", "[" * DEEP + "]" * DEEP) if "null" in text else '{"a":' * DEEP + "1" + "}" * DEEP
    return as_text(text, random)


def _changed(value: Any, random: Random) -> Any:
    """The value with one node replaced, removed, doubled or renamed."""
    places = list(_places(value))
    if not places or random.random() < 0.04:
        return random.choice(ODD_VALUES)
    holder, key = random.choice(places)
    deed = random.random()
    if deed < 0.65:
        holder[key] = copy.deepcopy(random.choice(ODD_VALUES))
    elif deed < 0.85:
        del holder[key]
    elif isinstance(holder, dict):
        holder[random.choice(("x", f"{key} ", "", "__proto__"))] = holder.pop(key) if random.random() < 0.5 else holder[key]
    else:
        holder.insert(random.randrange(len(holder) + 1), holder[key])
    return value


def _places(value: Any) -> Any:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def toml_text(text: str, random: Random) -> bytes:
    """A TOML file with a line that is another, missing, doubled, or out of place."""
    lines = text.splitlines()
    for _ in range(random.choice((1, 1, 2))):
        number = random.randrange(len(lines)) if lines else 0
        line = lines[number] if lines else ""
        key = line.partition("=")[0].strip() or "epochs"
        deeds: tuple[Callable[[], list[str]], ...] = (
            lambda key=key: [f"{key} = {random.choice(TOML_VALUES)}"],
            lambda key=key: [f"{key} = {random.choice(TOML_VALUES)}"],
            lambda key=key: [f"{key} = {random.choice(TOML_VALUES)}"],
            list,
            lambda line=line: [line, line],
            lambda line=line, key=key: [
                line,
                random.choice((f"[{key}]", "[model]", "[augment.x]", "[[augment]]", "[x", f"{key}x = 1", "= 1")),
            ],
            lambda line=line: [line[: len(line) // 2]],
        )
        lines[number : number + 1] = random.choice(deeds)()
    return as_text("\n".join(lines) + random.choice(("\n", "\n", "")), random)


def csv_text(rows: list[list[str]], random: Random) -> bytes:
    """A table with something wrong in its cells, rows, columns, separators or quotes."""
    rows = [list(row) for row in rows]
    for _ in range(random.choice((1, 1, 2))):
        _change_table(rows, random)
    separator = "," if random.random() < 0.85 else random.choice((";", "\t", "|", ", "))
    quoting = random.random() < 0.9
    lines = (separator.join(_cell(cell) if quoting else cell for cell in row) for row in rows)
    return as_text("\n".join(bounded(lines)) + random.choice(("\n", "\n", "\n", "", '"', "\n\n")), random)


def bounded(lines: Iterable[str], most: int = 20_000_000) -> list[str]:
    """The lines up to so many characters, so that writing the case needs no more memory than reading it may."""
    kept, total = [], 0
    for line in lines:
        total += len(line)
        if kept and total > most:
            break
        kept.append(line)
    return kept


def _cell(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(sign in cell for sign in ',"\r\n') else cell


def _change_table(rows: list[list[str]], random: Random) -> None:
    number = random.randrange(len(rows)) if rows else 0
    row = rows[number] if rows else []
    column = random.randrange(len(row)) if row else 0
    deed = random.randrange(10)
    if deed <= 3 and row:
        row[column] = random.choice(ODD_TEXTS) if deed else row[column] + random.choice(ODD_TEXTS)
    elif deed == 4:
        del rows[number : number + random.choice((1, 1, len(rows)))]
    elif deed == 5:
        rows.insert(random.randrange(len(rows) + 1), list(row))
    elif deed == 6:
        del row[column : column + 1]
    elif deed == 7:
        row.insert(column, random.choice(ODD_TEXTS))
    elif deed == 8:
        for each in rows:
            each[:] = each[1:] + each[:1]
    else:
        rows.extend([list(row) for _ in range(random.choice((10, 5000)))])


def as_text(text: str, random: Random) -> bytes:
    """The bytes of a text, sometimes in another encoding, with other ends of lines, or damaged."""
    plain = text.encode("utf-8", "surrogatepass")
    deed = random.random()
    if deed < 0.75:
        return plain
    if deed < 0.85:
        return damaged(plain, random)
    if deed < 0.9:
        return text.encode(random.choice(("utf-16", "utf-32", "utf-8-sig")), "surrogatepass")
    if deed < 0.95:
        return plain.replace(b"\n", random.choice((b"\r\n", b"\r", b"\n\r", b"\x0b", b"\0")))
    return plain.replace(b"a", random.choice((b"\xe9", b"\xff", b"\x80", b"\xf0\x9f")), 1)
