"""What `import neocog` gives, and what it costs."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import neocog

PACKAGE = Path(neocog.__file__).parent


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


def _public_names(tree):
    """What a module's `__all__` lists; None where it has none."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets):
            return set(ast.literal_eval(node.value))
    return None


def _module(path):
    *folders, name = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(folders if name == "__init__" else [*folders, name])


def test_a_name_that_another_module_imports_is_public_in_its_own():
    trees = {_module(path): ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}
    public = {name: _public_names(tree) or set() for name, tree in trees.items()}
    imports = [(user, node) for user, tree in trees.items() for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    hidden = [
        f"{user} imports {name.name} of {node.module}"
        for user, node in imports
        if node.module in trees
        for name in node.names
        if not name.name.startswith("__") and f"{node.module}.{name.name}" not in trees and name.name not in public[node.module]
    ]
    assert len(imports) > 100
    assert hidden == []


def test_every_public_name_is_there():
    for path in PACKAGE.rglob("*.py"):
        if path.name != "__main__.py":
            module = importlib.import_module(_module(path))
            assert [name for name in getattr(module, "__all__", ()) if not hasattr(module, name)] == []
