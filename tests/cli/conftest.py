"""The command line called as a person calls it, and a run that is trained once."""

import json
import shutil
from typing import NamedTuple

import pytest

from cli.folders import TRAINING, write_photos
from neocog.cli.frame import run_command_line


class Told(NamedTuple):
    """What a command left behind."""

    exit_code: int
    out: str
    err: str

    @property
    def answer(self):
        """The one object on standard output."""
        return json.loads(self.out)


@pytest.fixture
def tell(capsys):
    """Call the command line."""

    def call(*arguments):
        exit_code = run_command_line([str(argument) for argument in arguments])
        return Told(exit_code, *capsys.readouterr())

    return call


@pytest.fixture
def refused(tell):
    """Call the command line on what it must refuse, and compare the three lines and the exit code."""

    def call(arguments, exit_code, expected, found, remedy):
        told = tell(*arguments)
        assert told.err.splitlines()[-3:] == [f"neocog: expected {expected}", f"found {found}", f"to do: {remedy}"]
        assert told.exit_code == exit_code
        assert told.out == ""
        assert "Traceback" not in told.err
        return told

    return call


@pytest.fixture
def photos(tmp_path):
    """Makes a folder of pictures of two classes, with some files more."""
    return lambda files=(): write_photos(tmp_path / "photos", files)


@pytest.fixture(scope="session")
def _trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    data, run = write_photos(folder / "photos"), folder / "run"
    assert run_command_line(["train", str(data), "--out", str(run), *TRAINING, "--epochs", "2"]) == 0
    return data, run


@pytest.fixture
def trained(_trained, tmp_path):
    """The data and the run of a training that has ended; the run is a copy that may be spoilt."""
    data, run = _trained
    return data, shutil.copytree(run, tmp_path / "run")
