"""What `import neocog` gives, and what it costs."""

import subprocess
import sys

import pytest

import neocog


def test_public_names_are_deliberate():
    assert neocog.__all__ == [
        "NeocogError",
        "Run",
        "__version__",
        "create_model",
        "open_dataset",
        "open_run",
        "pretrained",
        "resume",
        "train",
    ]


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, neocog; sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'PIL')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", neocog.__all__)
def test_every_public_name_is_found_and_listed(name):
    assert getattr(neocog, name) is getattr(neocog, name)
    assert name in dir(neocog)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'neocog' has no attribute 'trian'"):
        neocog.trian  # noqa: B018
