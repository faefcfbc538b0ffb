"""Tables and sizes as people read them."""

import pytest

from neocog.cli.tables import bytes_in_words, count_in_words, mebibytes, print_facts, print_table, room_beside, shortened, size_in_words


def test_a_plain_table_is_aligned_and_not_cut(capsys):
    print_table(["name", "count"], [["a", "1"], ["a long name " * 20, "1,000"]], right=["count"], title="What there is")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "What there is"
    assert lines[1].startswith("name ")
    assert lines[2].endswith("    1")
    assert lines[3] == "a long name " * 20 + "  1,000"
    assert len({len(line) for line in lines[1:]}) == 1


def test_a_table_without_rows_is_its_headings(capsys):
    print_table(["name", "count"], [])
    assert capsys.readouterr().out == "name  count\n"


def test_a_ruled_table_on_a_terminal_shows_every_cell_as_it_is(capsys, monkeypatch):
    import sys

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_table(["name", "count"], [["[bold]a[/bold]", "1"]], right=["count"], title="What there is")
    out = capsys.readouterr().out
    assert "[bold]a[/bold]" in out
    assert "─" in out
    assert "What there is" in out


def test_facts_stand_in_two_columns(capsys):
    print_facts([("a", "1"), ("longer", "2")])
    assert capsys.readouterr().out == "a       1\nlonger  2\n"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (12_345, "12.3 kB"),
        (123_456, "123 kB"),
        (25_300_000_000, "25.3 GB"),
        (4e15, "4000 TB"),
    ],
)
def test_bytes_in_words(count, words):
    assert bytes_in_words(int(count)) == words


def test_sizes_read_as_they_are_typed():
    assert size_in_words((224, 320)) == "224x320"


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0"), (999, "999"), (7_840, "7.84 k"), (999_600, "1 M"), (416_520, "417 k"), (4_089_184_256, "4.09 G"), (53e15, "5.3e+04 T")],
)
def test_counts_in_words(count, words):
    assert count_in_words(int(count)) == words


def test_memory_in_mebibytes():
    assert mebibytes(3 * 2**20 + 2**19) == "3.50"
    assert mebibytes(2**31) == "2,048.00"


def test_text_is_shortened_to_a_width():
    assert shortened("Deep Residual", 13) == "Deep Residual"
    assert shortened("Deep Residual", 6) == "Deep…"


@pytest.mark.parametrize("terminal", [True, False])
def test_the_room_beside_a_table_is_what_one_more_column_may_take(terminal, capsys, monkeypatch):
    import sys

    monkeypatch.setenv("COLUMNS", "40")
    rows = [["a", "1"], ["bcd", "1,000"]]
    room = room_beside(["name", "count"], rows)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    print_table(["name", "count", "rest"], [[*row, "x" * room] for row in rows])
    lines = [line for line in capsys.readouterr().out.splitlines() if "x" in line]
    assert len(lines) == 2
    assert 30 < max(map(len, lines)) <= 40
