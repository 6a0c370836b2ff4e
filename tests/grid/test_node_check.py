from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ltbench import __version__
from ltbench.errors import ConfigError, RunError
from ltbench.grid import cluster_check, node_check
from ltbench.grid.findings import Finding
from ltbench.grid.node_check import NodeRequest, check_node
from ltbench.jobs import Ended
from ltbench.registry.registry import Registry
from ltbench.storage.lock_probe import hold_probe
from tests.conftest import Ended as EndedCommand


@pytest.fixture
def request_(tmp_path: Path) -> NodeRequest:
    return NodeRequest(
        out=str(tmp_path / "runs"),
        data_root=str(tmp_path),
        report=str(tmp_path / "report.json"),
        probe="",
        machine="login",
        version=__version__,
        models=(),
    )


def marks(findings: list[Finding]) -> dict[str, str]:
    return {found.topic: found.status for found in findings if found.topic != "free space"}


def test_a_node_in_order(request_: NodeRequest) -> None:
    with hold_probe(Path(request_.out)) as probe:
        asked = replace(request_, probe=probe.name)
        assert node_check.main([asked.command()[-1]]) == 0
    findings = [Finding(**one) for one in json.loads(Path(request_.report).read_text())]
    assert {*marks(findings).values()} == {"ok"}
    assert sum(found.topic == "free space" for found in findings) == 3


def test_what_is_wrong_with_a_node_is_found(
    request_: NodeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_check, "MAX_SKEW_SECONDS", -1.0)
    monkeypatch.setattr(node_check, "MIN_FREE_DISK_BYTES", 2**80)
    asked = replace(
        request_, version="9.9", models=("models--lacking",), data_root="/nowhere", probe="free"
    )
    findings = check_node(asked)
    assert marks(findings) == {
        "node": "failed",
        "clock": "warning",
        "file locks": "failed",
        "data sets": "failed",
        "weights": "missing",
        "devices": "ok",
    }
    assert {found.status for found in findings if found.topic == "free space"} == {"failed"}
    assert all(found.hint for found in findings if found.status != "ok")
    (Path(request_.out).parent / "file").touch()
    nowhere = check_node(replace(asked, out=str(Path(request_.out).parent / "file")))
    assert marks(nowhere)["folder of runs"] == "failed"


def test_a_job_without_findings_is_an_error(tmp_path: Path) -> None:
    ended = Ended("doctor", 1, "no such file")
    with pytest.raises(RunError, match=r"ended without findings \(no such file\)"):
        cluster_check._findings(tmp_path / "report.json", ended)


def test_the_executor_is_chosen_as_for_grids(registry: Registry, tmp_path: Path) -> None:
    chosen = None, {"executor.partition": "gpu"}
    with pytest.raises(ConfigError, match=r"executor\.partition: is not an option"):
        cluster_check.check_cluster(registry, chosen, tmp_path, tmp_path)


@pytest.mark.full
def test_a_job_examines_its_node(cli: Callable[..., EndedCommand], tmp_path: Path) -> None:
    assert cli("doctor", "--executor", "local").code == 2
    ended = cli("doctor", "--cluster", "--json")
    assert ended.code == 0, ended.err
    topics = {found["topic"]: found["status"] for found in ended.json["findings"]}
    assert topics["file locks"] == "ok"
    assert topics["node"] == "warning"  # the job ran on the machine of the command
    assert not list((tmp_path / "runs").rglob("*.json"))
