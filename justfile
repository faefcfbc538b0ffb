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

# measured ratios against a plain PyTorch loop, timm and fastai
bench *arguments:
    uv run --group bench python benchmarks/train.py {{arguments}}

# bad input against every reader, and trainings that are killed at random
campaign *arguments:
    uv run python tests/campaign/run.py --cases 14000 --kills 200 {{arguments}}
