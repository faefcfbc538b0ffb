# What continuous integration runs, by the same names. `just --list` shows the targets.

# format, lint, types, rows
check:
    uv run ruff format --check
    uv run ruff check
    uv run mypy
    uv run lint-imports

# put right what can be put right without thought
fix:
    uv run ruff format
    uv run ruff check --fix

# the tests, and the examples in README.md and docs
test *arguments:
    uv run pytest {{arguments}}

# the tests that take long
slow *arguments:
    uv run pytest -m slow {{arguments}}

# measured ratios against a plain PyTorch loop
bench *arguments:
    uv run python benchmarks/train.py {{arguments}}
