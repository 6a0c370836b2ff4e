from __future__ import annotations

from pathlib import Path

from ltbench.analysis.comparison.run_diff import diff_environments, diff_settings
from ltbench.registry.registry import Registry
from ltbench.storage.result_schema import RunDescription
from ltbench.storage.run_directory import RunDirectory
from tests.runs import ENVIRONMENT, spec_of, store


def test_settings_and_environments_that_differ(tmp_path: Path, registry: Registry) -> None:
    one = RunDirectory(store(tmp_path, spec_of(registry, method="lora")))
    other = RunDirectory(
        store(
            tmp_path,
            spec_of(registry, method="full", seed=1, dataset__ratio=50.0),
            changed={"environment": {"packages": {"torch": "2.1"}, "command": ["a", "b"]}},
        )
    )
    assert diff_settings(one, one) == {}
    found = diff_settings(one, other)
    assert found["method"] == ("lora", "full")
    assert found["seed"] == ("0", "1")
    assert found["dataset.ratio"] == ("20.0", "50.0")
    assert not any(key.startswith("method.") for key in found)
    assert diff_environments(one, one) == {}
    assert diff_environments(one, other) == {
        "command": ("ltbench run", "a b"),
        "packages.torch": ("-", "2.1"),
    }


def test_an_unfinished_run_has_settings_and_perhaps_an_environment(
    tmp_path: Path, registry: Registry
) -> None:
    one = RunDirectory(store(tmp_path, spec_of(registry)))
    spec = spec_of(registry, seed=1)
    other = RunDirectory.of(tmp_path, spec)
    other.begin(RunDescription.of(spec))
    assert diff_settings(one, other) == {"seed": ("0", "1")}
    assert diff_environments(one, other)["device"] == ("cpu", "-")
    other.write(ENVIRONMENT)
    assert diff_environments(one, other) == {}
