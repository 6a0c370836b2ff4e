"""Trackers: what was written is read back with the library's own reader, or its own schema."""

from __future__ import annotations

import csv
import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ltbench.contexts import TrackerContext
from ltbench.engine.tracking import hooks_of
from ltbench.errors import ConfigError, Interrupted, LTBenchError, RunError
from ltbench.registry.registry import Registry
from ltbench_plugins.trackers.csv import CsvTrackerConfig
from ltbench_plugins.trackers.mlflow import MlflowConfig
from ltbench_plugins.trackers.tensorboard import TensorBoardConfig
from ltbench_plugins.trackers.wandb import WandbConfig
from tests.covered import value_of

SETTINGS = {
    "method": "lora",
    "method.dim": None,
    "method.targets": ["q", "v"],
    "init.template": 'a "photo", of a | {}',
    "train.lr": 0.02,
    "seed": 3,
}
ROWS = [
    {"epoch": epoch, "loss": loss, "lr": 0.1 + 0.2, "seconds": 1.5, "images_per_second": 40.0}
    for epoch, loss in enumerate((2.25, 1.5, 1.0))
]
RESULT = {
    "metrics": {
        "accuracy": 81.25,
        "mean_class": 200 / 3,
        "few": None,
        "per_class": [100.0, None],
        "shot_rule": "100/20",
        "test_images": 16,
    },
    "learned": {"total": 1280},
    "training": {"seconds": 4.5},
    "peak_memory_mb": None,
}
NUMBERS = {
    "accuracy": 81.25,
    "mean_class": 200 / 3,
    "test_images": 16.0,
    "learned_parameters": 1280.0,
    "train_seconds": 4.5,
}
FAILED = RunError("the loss is not finite", hint="lower --lr")
INTERRUPTED = Interrupted("interrupted after 2 of 3 epochs")
# Of mlflow's own code on a recent sqlalchemy, when it first opens a database.
OPENS_A_DATABASE = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")


def track(
    registry: Registry,
    config: Any,
    directory: Path,
    *,
    start: int = 0,
    stop: int = 3,
    error: LTBenchError | None = None,
) -> None:
    """Tells a tracker of a run from an epoch to another, which then ends well or not."""
    name = type(config).__name__.removesuffix("Config").removesuffix("Tracker").lower()
    ctx = TrackerContext(
        hash="0c37d0e4c5b6", cell="d/b/m/c", settings=SETTINGS, directory=directory
    )
    built = registry.find("tracker", name).spec.build(config, ctx)
    hooks = hooks_of(built)
    hooks.ltbench_on_run_start(run={}, directory=directory, history=ROWS[:start])
    for row in ROWS[start:stop]:
        hooks.ltbench_on_epoch_end(run={}, epoch=row["epoch"], metrics=row)
    if error is None:
        hooks.ltbench_on_run_end(run={}, result=RESULT)
    else:
        hooks.ltbench_on_run_failure(run={}, error=error)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


@value_of("tracker", "csv")
def test_csv_files_hold_every_epoch_and_the_result(registry: Registry, tmp_path: Path) -> None:
    track(registry, CsvTrackerConfig(), tmp_path)
    folder = tmp_path / "csv"
    assert sorted(path.name for path in folder.iterdir()) == ["epochs.csv", "summary.csv"]
    assert (folder / "epochs.csv").read_bytes() == (
        b"epoch,loss,lr,seconds,images_per_second\r\n"
        b"0,2.25,0.30000000000000004,1.5,40.0\r\n"
        b"1,1.5,0.30000000000000004,1.5,40.0\r\n"
        b"2,1.0,0.30000000000000004,1.5,40.0\r\n"
    )
    assert b'"a ""photo"", of a | {}"' in (folder / "summary.csv").read_bytes()  # RFC 4180, 2.7
    (summary,) = rows_of(folder / "summary.csv")
    assert summary["state"] == "finished"
    assert summary["hash"] == "0c37d0e4c5b6"
    assert summary["method.dim"] == "none"
    assert summary["method.targets"] == '["q", "v"]'
    assert summary["init.template"] == SETTINGS["init.template"]
    assert {name: float(summary[name]) for name in NUMBERS} == NUMBERS
    assert "few" not in summary


def test_csv_files_of_a_resumed_run_are_whole(registry: Registry, tmp_path: Path) -> None:
    config = CsvTrackerConfig(folder=tmp_path / "logs")
    track(registry, config, tmp_path / "run", stop=2, error=INTERRUPTED)
    folder = tmp_path / "logs/0c37d0e4c5b6"
    (summary,) = rows_of(folder / "summary.csv")
    assert (summary["state"], summary["error"]) == ("interrupted", INTERRUPTED.message)
    track(registry, config, tmp_path / "run", start=2)
    assert [row["loss"] for row in rows_of(folder / "epochs.csv")] == ["2.25", "1.5", "1.0"]
    track(registry, config, tmp_path / "run", stop=0, error=FAILED)  # anew
    assert not (folder / "epochs.csv").exists()
    (summary,) = rows_of(folder / "summary.csv")
    assert (summary["state"], summary["error"]) == ("failed", FAILED.message)
    assert not (tmp_path / "run").exists()


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder)).Reload()
    return {
        tag: [(event.step, event.value) for event in found.Scalars(tag)]
        for tag in found.Tags()["scalars"]
    }


def text(folder: Path, tag: str) -> str:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder)).Reload()
    value: bytes = found.Tensors(f"{tag}/text_summary")[0].tensor_proto.string_val[0]
    return value.decode()


@value_of("tracker", "tensorboard")
def test_tensorboard_reads_scalars_settings_and_hyperparameters(
    registry: Registry, tmp_path: Path
) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata

    track(registry, TensorBoardConfig(), tmp_path)
    folder = tmp_path / "tensorboard"
    found = scalars(folder)
    assert found["epoch/loss"] == [(0, 2.25), (1, 1.5), (2, 1.0)]
    assert [value for _, value in found["epoch/lr"]] == pytest.approx([0.3] * 3)  # in float32
    assert "epoch/epoch" not in found
    results = {name: one[0][1] for name, one in found.items() if name.startswith("result/")}
    assert results == pytest.approx({f"result/{name}": one for name, one in NUMBERS.items()})
    assert '| init.template | a "photo", of a \\| {} |' in text(folder, "settings")

    assert [path for path in folder.iterdir() if path.is_dir()] == []  # one run in TensorBoard
    contents = EventAccumulator(str(folder)).Reload().PluginTagToContent(metadata.PLUGIN_NAME)
    start = metadata.parse_session_start_info_plugin_data(contents[metadata.SESSION_START_INFO_TAG])
    assert start.hparams["train.lr"].number_value == 0.02
    assert start.hparams["method.targets"].string_value == '["q", "v"]'


def test_tensorboard_shows_no_epoch_twice(registry: Registry, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    config = TensorBoardConfig(folder=tmp_path / "logs")
    track(registry, config, tmp_path, error=INTERRUPTED)  # killed between epoch and checkpoint
    folder = tmp_path / "logs/0c37d0e4c5b6"
    assert text(folder, "error") == INTERRUPTED.message
    track(registry, config, tmp_path, start=2)
    assert scalars(folder)["epoch/loss"] == [(0, 2.25), (1, 1.5), (2, 1.0)]
    track(registry, config, tmp_path, stop=1, error=FAILED)  # anew
    assert scalars(folder)["epoch/loss"] == [(0, 2.25)]
    track(registry, TensorBoardConfig(), tmp_path / "late", start=2)  # not asked for before
    assert scalars(tmp_path / "late/tensorboard")["epoch/loss"] == [(0, 2.25), (1, 1.5), (2, 1.0)]


def records(path: Path) -> Iterator[Any]:
    """Yields the records of an offline file: frames as in a log of LevelDB, W&B's own messages."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, at, whole = path.read_bytes(), 7, b""
    assert content[:4] == b":W&B"
    while at < len(content):
        left = -at % 32768
        if 0 < left < 7:  # no room for a frame's head in its block
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        whole += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # full, or the last part
            yield Record.FromString(whole)
            whole = b""


def offline(folder: Path) -> dict[str, Any]:
    """Returns what the newest offline file of a folder has."""
    import wandb

    wandb.teardown()  # W&B's own process writes the file, also after the run is finished
    path = max(folder.glob("wandb/offline-run-*/*.wandb"), key=lambda path: path.stat().st_mtime_ns)
    found: dict[str, Any] = {"losses": {}, "summary": {}, "config": {}}
    for record in records(path):
        if record.HasField("run"):
            found["run"] = record.run
            for item in record.run.config.update:
                found["config"][item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
        elif record.HasField("history"):
            row = {
                item.key or "/".join(item.nested_key): json.loads(item.value_json)
                for item in record.history.item
            }
            found["losses"][record.history.step.num] = row["loss"]
        elif record.HasField("summary"):
            for item in record.summary.update:
                found["summary"][item.key or "/".join(item.nested_key)] = json.loads(
                    item.value_json
                )
        elif record.HasField("exit"):
            found["code"] = record.exit.exit_code
    return found


@pytest.mark.full
@value_of("tracker", "wandb")
def test_wandb_writes_files_to_sync(registry: Registry, tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    config = WandbConfig(project="tails", entity="lab", mode="offline")
    track(registry, config, tmp_path)
    found = offline(tmp_path)
    run = found["run"]
    assert (run.run_id, run.project, run.entity) == ("0c37d0e4c5b6", "tails", "lab")
    assert (run.run_group, run.display_name) == ("d/b/m/c", "lora, seed 3")
    assert {name: found["config"][name] for name in SETTINGS} == SETTINGS
    assert found["losses"] == {0: 2.25, 1: 1.5, 2: 1.0}
    assert {name: found["summary"][name] for name in NUMBERS} == NUMBERS
    assert found["code"] == 0


@pytest.mark.full
def test_wandb_files_of_a_resumed_run_are_whole(registry: Registry, tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    config = WandbConfig(group="mine", mode="offline", folder=tmp_path / "logs")
    track(registry, config, tmp_path / "run", stop=2, error=INTERRUPTED)
    found = offline(tmp_path / "logs")
    assert found["losses"] == {0: 2.25, 1: 1.5}
    assert (found["code"], found["summary"]["error"]) == (130, INTERRUPTED.message)
    track(registry, config, tmp_path / "run", start=2)
    found = offline(tmp_path / "logs")
    assert found["losses"] == {0: 2.25, 1: 1.5, 2: 1.0}
    assert (found["code"], found["run"].run_group) == (0, "mine")
    assert not (tmp_path / "run").exists()


def test_wandb_without_a_key_is_refused_before_the_run(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    with pytest.raises(ConfigError, match="'wandb' is not logged in") as raised:
        track(registry, WandbConfig(), tmp_path)
    assert "tracker.wandb.mode=offline" in raised.value.hint
    monkeypatch.setenv("WANDB_MODE", "disabled")
    track(registry, WandbConfig(), tmp_path)
    assert not (tmp_path / "wandb").exists()


@pytest.mark.full
@OPENS_A_DATABASE
@value_of("tracker", "mlflow")
def test_mlflow_finds_the_run_in_a_local_store(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracking = pytest.importorskip("mlflow.tracking")
    monkeypatch.chdir(tmp_path)
    config = MlflowConfig(uri="sqlite:///own.db", experiment="tails")

    def only(state: str) -> Any:
        client = tracking.MlflowClient(f"sqlite:///{tmp_path / 'own.db'}")
        experiment = client.get_experiment_by_name("tails").experiment_id
        (run,) = client.search_runs([experiment], f"attributes.status = '{state}'")
        losses = client.get_metric_history(run.info.run_id, "loss")
        return run, {one.step: one.value for one in losses}, len(losses)

    track(registry, config, tmp_path / "run", stop=2, error=INTERRUPTED)
    run, losses, _ = only("KILLED")
    assert losses == {0: 2.25, 1: 1.5}
    assert run.data.tags["ltbench.error"] == INTERRUPTED.message

    track(registry, config, tmp_path / "run", start=2)
    resumed, losses, count = only("FINISHED")
    assert resumed.info.run_id == run.info.run_id
    assert resumed.info.run_name == "lora, seed 3"
    assert (losses, count) == ({0: 2.25, 1: 1.5, 2: 1.0}, 3)
    assert {name: resumed.data.metrics[name] for name in NUMBERS} == NUMBERS
    assert resumed.data.params["method.dim"] == "none"
    assert resumed.data.params["train.lr"] == "0.02"
    assert resumed.data.tags["ltbench.hash"] == "0c37d0e4c5b6"

    track(registry, config, tmp_path / "run", stop=1, error=FAILED)  # anew: another run
    assert only("FAILED")[1] == {0: 2.25}
    assert only("FINISHED")[0].info.run_id == run.info.run_id
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own.db", "own.db.lock"]


@pytest.mark.parametrize(
    ("config", "module", "extra"),
    [
        (TensorBoardConfig(), "torch.utils.tensorboard", "tensorboard"),
        (WandbConfig(mode="offline"), "wandb", "wandb"),
        (MlflowConfig(), "mlflow.tracking", "mlflow"),
        (MlflowConfig(), "sqlalchemy", "mlflow"),
    ],
)
def test_without_the_library_the_error_says_what_to_install(
    registry: Registry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: Any,
    module: str,
    extra: str,
) -> None:
    pytest.importorskip(extra)
    monkeypatch.setitem(sys.modules, module, None)  # as Python itself marks what is not there
    with pytest.raises(ConfigError, match=f"tracker '{extra}' needs the package") as raised:
        track(registry, config, tmp_path)
    assert raised.value.hint == f"pip install 'ltbench[{extra}]'"
    assert list(tmp_path.iterdir()) == []
