from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from ltbench_plugins.modules.absent import absent
from ltbench_plugins.modules.lean_open_clip import load_transformers, open_clip

LEAN = """
import sys
from ltbench_plugins.modules.lean_open_clip import load_transformers, open_clip
assert not {"wandb", "transformers"} & {*sys.modules}, "imported"
import wandb, transformers  # where they are installed, others find them
load_transformers()
from open_clip import hf_model
assert hf_model.transformers is transformers
assert open_clip.model.HFTextEncoder.__init__.__globals__["AutoConfig"] is transformers.AutoConfig
"""


def test_a_module_is_absent_in_the_block_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hidden_module.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with absent("hidden_module", "json"):
        assert import_module("json")  # is imported already
        with pytest.raises(ModuleNotFoundError):
            import_module("hidden_module")
    assert "hidden_module" not in sys.modules
    assert import_module("hidden_module")


@pytest.mark.full
def test_libraries_are_imported_without_those_that_no_run_uses() -> None:
    pytest.importorskip("wandb")
    pytest.importorskip("transformers")
    subprocess.run([sys.executable, "-c", LEAN], check=True)


@pytest.mark.full
def test_text_towers_of_the_hub_find_their_library() -> None:
    pytest.importorskip("transformers")
    load_transformers()
    tower = open_clip.model.HFTextEncoder
    assert tower.__init__.__globals__["transformers"].__name__ == "transformers"
