#!/usr/bin/env bash
# Builds the Python module and runs its tests, in a virtual environment of its
# own. Takes the packages from the package index.
set -euo pipefail
cd "$(dirname "$0")"
venv=target/venv
test -x $venv/bin/python || python3 -m venv $venv
$venv/bin/pip install --quiet --disable-pip-version-check \
    "maturin>=1.9,<2" pytest numpy pillow opencv-python-headless
wheels=target/python
rm -rf $wheels
$venv/bin/maturin build --quiet --release --locked --out $wheels
$venv/bin/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps $wheels/*.whl
$venv/bin/python -m pytest -q "$@"
