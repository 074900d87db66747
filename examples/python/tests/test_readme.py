"""The examples of both READMEs run."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

HERE = Path(__file__).parent


@pytest.mark.parametrize("readme", ["../README.md", "../../../README.md"])
def test_readme(readme, tmp_path, monkeypatch):
    text = (HERE / readme).read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert examples
    monkeypatch.chdir(tmp_path)
    for example in examples:
        exec(example, {})
    before, after = (np.asarray(Pillow.open(name)) for name in ("before.png", "after.png"))
    assert not before.any()
    assert (after[:100] == 255).all()
    assert not after[100:].any()
