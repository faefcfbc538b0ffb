"""SIGINT and SIGTERM end at once, or are noted where they are awaited; afterwards everything is as before."""

import contextlib
import os
import signal
import threading

import pytest

from neocog.errors import Interrupted
from neocog.training.signals import StopRequest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_at_once_and_the_remedy_is_said(number):
    with StopRequest() as stop, pytest.raises(Interrupted) as caught, stop.remedied("again"):
        os.kill(os.getpid(), number)
    assert str(caught.value) == f"expected: a training to its end\nfound: {number.name}\nto do: again"


@pytest.fixture
def awaited():
    """Inside `awaited`, at whose end a request that nobody looked at raises KeyboardInterrupt."""
    with StopRequest() as stop, contextlib.suppress(KeyboardInterrupt), stop.awaited():
        yield stop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_where_it_is_awaited_a_signal_is_noted(awaited, number):
    assert not awaited.requested
    os.kill(os.getpid(), number)
    assert awaited.requested
    assert awaited.name == number.name


def test_a_second_interruption_ends_at_once(awaited):
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    assert awaited.requested


def test_sigterm_may_come_as_often_as_it_likes(awaited):
    for _ in range(3):
        os.kill(os.getpid(), signal.SIGTERM)
    assert awaited.name == "SIGTERM"


def awaiting(stop, number):
    with stop.awaited():
        os.kill(os.getpid(), number)


def test_one_that_nobody_looked_at_ends_when_it_is_no_longer_awaited():
    with StopRequest() as stop, pytest.raises(KeyboardInterrupt):
        awaiting(stop, signal.SIGTERM)


def test_the_handlers_are_as_before_also_after_an_error():
    def own(number, frame):
        pass

    before = signal.signal(signal.SIGTERM, own)
    try:
        with pytest.raises(ZeroDivisionError), StopRequest():
            raise ZeroDivisionError
        assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before)


def test_in_another_thread_no_signal_is_caught():
    before, seen = signal.getsignal(signal.SIGINT), []

    def work():
        with StopRequest() as stop:
            seen.append((stop.requested, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, before)]
