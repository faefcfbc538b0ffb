"""Progress: lines where nobody watches, a bar where somebody does."""

import io

import pytest

from neocog import progress
from neocog.progress import Bars, Lines, open_progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_the_form_follows_the_stream():
    assert isinstance(open_progress(io.StringIO()), Lines)
    assert isinstance(open_progress(Terminal()), Bars)


def test_a_short_job_is_one_line(clock):
    stream = io.StringIO()
    with open_progress(stream) as lines:
        lines.start("reading pictures", 12_000)
        for _ in range(12):
            clock[0] += 0.5
            lines.advance(1_000, note="loss 0.5")
    assert stream.getvalue() == "reading pictures: 12,000 in 6.0 s · loss 0.5\n"


def test_a_long_job_is_a_line_every_ten_seconds(clock):
    stream = io.StringIO()
    with open_progress(stream) as lines:
        lines.start("epoch 1", 30)
        for _ in range(30):
            clock[0] += 1
            lines.advance()
    assert stream.getvalue().splitlines() == [
        "epoch 1: 10 of 30",
        "epoch 1: 20 of 30",
        "epoch 1: 30 of 30",
        "epoch 1: 30 in 30.0 s",
    ]


def test_a_job_of_unknown_length(clock):
    stream = io.StringIO()
    lines = open_progress(stream)
    lines.start("downloading")
    clock[0] += 11
    lines.advance(5)
    lines.done()
    lines.done()
    assert stream.getvalue() == "downloading: 5\ndownloading: 5 in 11.0 s\n"


def test_a_new_job_ends_the_open_one(clock):
    stream = io.StringIO()
    with open_progress(stream) as lines:
        lines.start("first", 1)
        lines.advance()
        lines.start("second", 1)
        lines.message("a word")
        lines.advance()
    assert stream.getvalue() == "first: 1 in 0.0 s\na word\nsecond: 1 in 0.0 s\n"


def test_a_job_that_had_nothing_to_count_says_nothing(clock):
    stream = io.StringIO()
    with open_progress(stream) as lines:
        lines.start("reading pictures", 12_000)
    assert stream.getvalue() == ""


def test_a_summary_stands_for_the_line_at_the_end(clock):
    stream = io.StringIO()
    with open_progress(stream) as lines:
        lines.start("epoch 1", 1)
        lines.advance()
        lines.done("epoch 1: loss 0.5")
    assert stream.getvalue() == "epoch 1: loss 0.5\n"


def test_a_summary_stays_when_its_bar_has_gone():
    stream = Terminal()
    with open_progress(stream) as bars:
        bars.start("epoch 1", 4)
        bars.done("[epoch 1] loss 0.5")
    assert "[epoch 1] loss 0.5" in stream.getvalue()


def test_a_job_that_fails_says_nothing_of_its_end(clock):
    stream = io.StringIO()

    def fail():
        with open_progress(stream) as lines:
            lines.start("first", 1)
            raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        fail()
    assert stream.getvalue() == ""


def test_a_bar_shows_description_counts_and_note_and_messages_stay():
    stream = Terminal()
    with open_progress(stream) as bars:
        bars.advance(3)  # no job is open
        bars.start("epoch 1", 4)
        bars.advance(2, note="loss 0.5")
        bars.advance(1)
        bars.message("[a word] that stays")
        bars._bars.refresh()
        bars.start("epoch 2", 4)
    text = stream.getvalue()
    for piece in ("epoch 1", "3/4", "loss 0.5", "[a word] that stays"):
        assert piece in text


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_no_file_s_name_gives_orders_to_a_terminal_or_breaks_a_line(kind):
    stream = kind()
    with open_progress(stream) as shown:
        shown.message("set aside: [red]a\nb\x1b[31m.png: damaged")
        shown.start("reading [red]c\r\x1b[2J", 1)
        shown.advance()
        shown.done("read [red]c\r")
    said = stream.getvalue()
    assert "set aside: [red]a\\nb\\x1b[31m.png: damaged" in said
    assert "read [red]c\\r" in said
    assert "\x1b[31m" not in said
    assert "\x1b[2J" not in said
