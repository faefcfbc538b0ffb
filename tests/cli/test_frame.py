"""From arguments to exit code: help, errors in words and in JSON, interruptions, broken pipes."""

import errno
import json
import subprocess
import sys

import pytest

from neocog import errors
from neocog.cli.command import COMMANDS, Command
from neocog.cli.frame import run_command_line

HEAVY = ("torch", "numpy", "PIL", "sklearn", "pyarrow", "rich", "torchvision")


def in_a_fresh_process(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def command(run, show=lambda answer: print("shown")):
    """A command for the test, under the name `probe`."""
    return Command("does what a test wants", 1, lambda parser, typed: parser.add_argument("--size"), run, show)


@pytest.fixture
def probe(monkeypatch):
    COMMANDS.names()  # so that all others are there
    members = COMMANDS._members

    def install(run, **fields):
        monkeypatch.setitem(members, "probe", command(run, **fields))

    return install


def raising(error):
    def run(arguments):
        raise error

    return run


@pytest.mark.parametrize("arguments", [["--help"], [], ["-h"], ["--version"], ["--json"]])
def test_what_needs_no_command_loads_nothing_heavy(arguments):
    code = f"""
import sys
from neocog.cli.frame import run_command_line
assert run_command_line({arguments!r}) == 0
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
sys.exit(any(name in sys.modules for name in {HEAVY!r}))
"""
    assert in_a_fresh_process(code)


def test_the_help_lists_every_command_with_one_line(capsys):
    assert run_command_line(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in COMMANDS:
        assert [line for line in lines if line.split()[:1] == [name] and COMMANDS[name].help in line], name
        assert "\n" not in COMMANDS[name].help
        assert len(COMMANDS[name].help) < 80


def test_every_command_explains_itself(capsys):
    for name in COMMANDS:
        assert run_command_line([name, "--help"]) == 0
        out = capsys.readouterr().out
        assert out.startswith(f"usage: neocog {name}")
        assert "--json" in out
        assert "--debug" in out


def test_the_version(capsys):
    from neocog import __version__

    assert run_command_line(["--version"]) == 0
    assert capsys.readouterr().out == f"neocog {__version__}\n"


def test_the_program_is_installed_under_its_name():
    done = subprocess.run([sys.executable, "-m", "neocog", "nothing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("neocog: expected the name of a command\nfound 'nothing'\nto do: ")


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["modles"], ["neocog: expected the name of a command", "found 'modles'", "to do: did you mean models or model?"]),
        (["--verbose"], ["neocog: expected a command", "found '--verbose'", "to do: see neocog --help"]),
        (["models", "--jsno"], ["neocog: expected a flag of neocog models", "found '--jsno'", "to do: did you mean --json or --sort?"]),
        (["models", "--xyzzy"], ["neocog: expected a flag of neocog models", "found '--xyzzy'", "to do: see neocog models --help"]),
        (["models", "a", "b"], ["neocog: expected no more arguments for neocog models", "found 'b'", "to do: see neocog models --help"]),
        (
            ["model"],
            [
                "neocog: expected the arguments of neocog model",
                "found the following arguments are required: NAME",
                "to do: see neocog model --help",
            ],
        ),
    ],
)
def test_usage_errors_say_what_was_meant(arguments, lines, capsys):
    assert run_command_line(arguments) == 2
    written = capsys.readouterr()
    assert written.err.splitlines() == lines
    assert written.out == ""


def test_an_answer_is_shown_to_people(probe, capsys):
    probe(lambda arguments: {"size": arguments.size})
    assert run_command_line(["probe", "--size", "3"]) == 0
    assert capsys.readouterr().out == "shown\n"


def test_json_prints_one_object_and_nothing_else_on_standard_output(probe, capsys):
    def run(arguments):
        print("chatter")
        return {"size": arguments.size, "text": "größe"}

    probe(run)
    for typed in (["probe", "--size", "3", "--json"], ["--json", "probe", "--size", "3"]):
        assert run_command_line(typed) == 0
        written = capsys.readouterr()
        assert json.loads(written.out) == {"size": "3", "text": "größe"}
        assert written.out.count("\n") == 1
        assert written.err == "chatter\n"


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name not in ("NeocogError", "one_line")])
def test_errors_are_three_lines_and_their_exit_code(name, probe, capsys):
    error = getattr(errors, name)("a whole file", "half of one", "copy it again")
    probe(raising(error))
    assert run_command_line(["probe"]) == error.exit_code
    written = capsys.readouterr()
    assert written.err == "neocog: expected a whole file\nfound half of one\nto do: copy it again\n"
    assert written.out == ""


def test_errors_in_json(probe, capsys):
    probe(raising(errors.DataError("a whole file", "half of one", "copy it again")))
    assert run_command_line(["probe", "--json"]) == 3
    written = capsys.readouterr()
    expected = {"kind": "DataError", "expected": "a whole file", "found": "half of one", "remedy": "copy it again"}
    assert json.loads(written.out) == {"error": expected, "exit_code": 3}
    assert written.err.startswith("neocog: expected a whole file\n")


class OutOfMemoryError(RuntimeError):
    """As torch.cuda raises it."""


def os_error(kind):
    return OSError(kind, "no matter", "weights.safetensors")


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (MemoryError(), ["neocog: expected enough memory", "found none left"]),
        (OutOfMemoryError("CUDA out of memory"), ["neocog: expected enough memory", "found none left"]),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), ["neocog: expected enough memory", "found none left"]),
        (os_error(errno.ENOSPC), ["neocog: expected room on the disk", "found none left for weights.safetensors"]),
        (os_error(errno.EDQUOT), ["neocog: expected room on the disk", "found none left for weights.safetensors"]),
        (os_error(errno.EACCES), ["neocog: expected the right to use a file", "found none for weights.safetensors"]),
        (
            ModuleNotFoundError("No module named 'onnx'", name="onnx"),
            ["neocog: expected the package onnx", "found it is not installed", "to do: pip install onnx"],
        ),
    ],
)
def test_faults_of_the_environment_exit_with_4(error, lines, probe, capsys):
    probe(raising(error))
    assert run_command_line(["probe"]) == 4
    written = capsys.readouterr().err.splitlines()
    assert written[: len(lines)] == lines
    assert written[2].startswith("to do: ")
    assert len(written) == 3


def test_an_interruption_exits_with_130(probe, capsys):
    probe(raising(KeyboardInterrupt()))
    assert run_command_line(["probe"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_an_unforeseen_error_is_one_clear_line_and_how_to_see_more(probe, capsys):
    probe(raising(ValueError("the moon\nis full")))
    assert run_command_line(["probe"]) == 1
    assert capsys.readouterr().err == "neocog: an unexpected ValueError: the moon is full\nto do: run again with --debug\n"


def test_debug_shows_the_traceback(probe, capsys):
    probe(raising(errors.DataError("a", "b", "c")))
    assert run_command_line(["probe", "--debug"]) == 3
    err = capsys.readouterr().err
    assert "Traceback (most recent call last)" in err
    assert err.endswith("neocog: expected a\nfound b\nto do: c\n")


def test_a_reader_that_stops_reading_is_no_error():
    code = "from neocog.cli.frame import run_command_line; import sys; sys.exit(run_command_line(['--help']))"
    writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    writer.stdout.close()
    _, err = writer.communicate()
    assert (writer.returncode, err) == (0, "")
