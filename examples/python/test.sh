#!/usr/bin/env bash
# Builds the Python module and runs its tests in a virtual environment of its own.
# Arguments go to pytest. `--prepare` only makes the environment, with packages
# from the package index.
set -euo pipefail
cd "$(dirname "$0")"
venv=target/venv
pip=("$venv/bin/python" -m pip --quiet --disable-pip-version-check)

python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'
test -x $venv/bin/python || python3 -m venv $venv
"${pip[@]}" install "maturin>=1.9,<2" pytest numpy pillow opencv-python-headless
if [ "${1-}" = --prepare ]; then
    exit
fi

wheels=target/python
rm -rf $wheels
$venv/bin/maturin build --quiet --release --locked --out $wheels
"${pip[@]}" install --force-reinstall --no-deps $wheels/*.whl
$venv/bin/python -m pytest -q "$@"
