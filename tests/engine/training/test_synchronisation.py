"""No step of a training waits for the device.

On the CPU the operations of real steps are searched for those that a GPU would wait for. Copies
between CPU and device are seen on the device "meta", whose tensors have no values: reading one
raises. Where there is a GPU, CUDA itself raises for whatever waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from ltbench.config.resolve import resolve
from ltbench.config.runspec import TrainConfig
from ltbench.contexts import BuildContext
from ltbench.engine.building.builder import build_run
from ltbench.engine.building.built_run import BuiltRun
from ltbench.engine.building.checked_components import CheckedAugmentation, CheckedLoss
from ltbench.engine.model.precision import asked_for
from ltbench.engine.run import RuntimeConfig
from ltbench.engine.training.checkpoint import TrainState
from ltbench.engine.training.feature_loader import training_loader
from ltbench.engine.training.loop import train
from ltbench.engine.training.train_loader import Part, image_loader
from ltbench.progress import SILENT
from ltbench.ranks.group import SINGLE
from ltbench.registry.component import Component
from ltbench.registry.registry import Registry
from ltbench.testing.bench import Bench, trials

STEPS = 2
SETTINGS = {"backbone": "clip_tiny", "train.batch_size": 4}
aten = torch.ops.aten
READS = {
    aten._local_scalar_dense,  # item(), float(), bool(), and the lengths of slices
    aten.nonzero,
    aten.masked_select,
    aten.bincount,
    aten._unique2,
    aten.unique_dim,
    aten.unique_consecutive,
    aten.equal,
    aten.is_nonzero,
    aten.repeat_interleave,
}
"""Operations of a GPU that wait for its values."""


class Watch(TorchDispatchMode):
    """Collects the operations that would wait for a GPU."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[str] = []
        self.operations = 0

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        self.operations += 1
        indices = args[1] if func.overloadpacket in (aten.index, aten.index_put_) else ()
        by_truths = any(at is not None and at.dtype == torch.bool for at in indices)
        if func.overloadpacket in READS or by_truths or _blocks(func, args, kwargs):
            self.waits.append(str(func))
        return func(*args, **kwargs)


class WatchedLists(TorchFunctionMode):
    """Adds the tensors that are made of Python numbers on a device to what blocks."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        device = torch.device(kwargs.get("device") or "cpu")
        if func in (torch.tensor, torch.as_tensor) and device.type != "cpu":
            self._watch.waits.append(func.__name__)
        return func(*args, **kwargs)


def _blocks(func: Any, args: Any, kwargs: Any) -> bool:
    """Returns whether a copy between CPU and device waits for the device."""
    if func.overloadpacket is aten._to_copy:
        target, source = kwargs.get("device") or args[0].device, args[0]
        blocking = not kwargs.get("non_blocking", False)
    elif func.overloadpacket is aten.copy_:
        target, source = args[0].device, args[1]
        blocking = not (kwargs.get("non_blocking", False) or (len(args) > 2 and args[2]))
    else:
        return False
    crosses = torch.device(target).type != source.device.type
    return crosses and (blocking or torch.device(target).type == "cpu")


class StepsDone(Exception):
    """Ends a training after its steps: the end of an epoch reads the losses."""


class Watched:
    """Train loader of a few batches, with a context around the time from the first to the last."""

    def __init__(self, loader: Any, context: Callable[[], Any]) -> None:
        self._loader = loader
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def __len__(self) -> int:
        return len(self._loader)

    def epoch(self, epoch: int, batch_size: int, parts: int = 1) -> Iterator[Sequence[Part]]:
        batches = self._loader.epoch(epoch, batch_size, parts)
        yield next(batches)  # the first step starts the optimizer
        with self._context():
            for _ in range(STEPS):
                yield next(batches)
        raise StepsDone


def take_steps(built: BuiltRun, loss: CheckedLoss, context: Callable[[], Any]) -> None:
    loader = Watched(training_loader(built, image_loader(built, 0, 1)), context)
    state = TrainState.start(built.optimizer(built.model.learned(), 0.1), built.policy)
    config = TrainConfig(epochs=1, batch_size=2)
    with pytest.raises(StepsDone):
        train(
            built.model,
            loader,  # type: ignore[arg-type]
            loss,
            built.schedule,
            state,
            config,
            built.policy,
            SINGLE,
            SILENT,
            lambda state: None,
        )


@pytest.fixture(scope="module")
def bench(registry: Registry) -> Bench:
    return Bench.of(registry)


def made(bench: Bench, kind: str, context: BuildContext) -> Iterator[tuple[str, Component, Any]]:
    """Yields all components of a kind with each of their examples, built for a context."""
    for component in bench.registry.components[kind].values():
        for trial in trials(component):
            built = component.spec.build(bench.config(trial, component), context)  # type: ignore[attr-defined]
            yield trial.name, component, built


def test_no_step_reads_a_value(bench: Bench) -> None:
    built = bench.build_run({**SETTINGS, "method": "lift_plus"})
    with_bf16 = replace(built, policy=asked_for("bf16", torch.device("cpu")))
    for one in (built, with_bf16):
        watch = Watch()
        take_steps(one, built.loss, lambda watch=watch: watch)
        assert watch.operations > 100
        assert watch.waits == []


@pytest.mark.full
@pytest.mark.parametrize(
    "method",
    ["lift_plus", "full", "lora", "vpt", "bitfit", "ln_tuning", "classifier_only", "ssf", "aft"],
)
def test_no_step_with_any_loss_reads_a_value(bench: Bench, method: str) -> None:
    built = bench.build_run({**SETTINGS, "method": method})
    found = {}
    for name, component, loss in made(bench, "loss", built.context):
        watch = Watch()
        take_steps(built, CheckedLoss(loss, component), lambda watch=watch: watch)
        assert watch.operations
        found[name] = watch.waits
    assert found == {name: [] for name in found}


def test_no_step_copies_what_blocks(bench: Bench) -> None:
    built = bench.build_run({**SETTINGS, "method": "lift_plus"})
    meta = torch.device("meta")
    context = replace(built.context, device="meta")
    model = built.model.to(meta)
    loader_config = replace(built.loader_config, device=meta)
    augmentations = dict(made_augmentations(bench, context))
    losses = [CheckedLoss(loss, component) for _, component, loss in made(bench, "loss", context)]
    found = {}
    for name, augmentation in augmentations.items():
        placed = replace(built, augmentation=augmentation, loader_config=loader_config)
        batches = image_loader(placed, 0, 1).epoch(0, 4)
        with Watch() as watch, WatchedLists(watch):
            (part,) = next(batches)
        found[name] = watch.waits
    with Watch() as watch, WatchedLists(watch):
        logits = model.head(model.backbone(model.backbone.normalize(part.inputs)))
        torch.stack([loss(logits, part.targets) for loss in losses]).sum().backward()
    assert watch.waits == []
    # torchvision makes the matrices of its affine operations of lists.
    assert {name.partition("(")[0] for name, waits in found.items() if waits} <= {"randaugment"}


def made_augmentations(
    bench: Bench, context: BuildContext
) -> Iterator[tuple[str, CheckedAugmentation]]:
    for name, component, augmentation in made(bench, "augmentation", context):
        yield name, CheckedAugmentation(augmentation, component)


def test_the_watch_sees_what_waits() -> None:
    values = torch.arange(4.0)
    with Watch() as watch, WatchedLists(watch):
        torch.tensor([1.0], device="meta")
        assert float(values.sum()) == 6
        assert len(values[values > 1]) == 2
        values.nonzero()
        values.to("meta")
        values.to("meta", non_blocking=True)
    waits = ["tensor", "_local_scalar_dense", "index", "nonzero", "_to_copy"]
    assert [name.removeprefix("aten.").partition(".")[0] for name in watch.waits] == waits


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("method", ["lift_plus", "full", "lora", "vpt"])
def test_cuda_refuses_no_step(registry: Registry, method: str) -> None:
    resolved = resolve(registry, {**SETTINGS, "method": method, "precision": "bf16"}, Path(), [])
    runtime = RuntimeConfig(Path(), "cuda", workers=0)
    built = build_run(resolved, runtime.loader_config(resolved.spec))

    @contextmanager
    def strict() -> Iterator[None]:
        torch.cuda.set_sync_debug_mode("error")
        try:
            # Without a kernel for flash attention, attention raises too.
            with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
                yield
        finally:
            torch.cuda.set_sync_debug_mode("default")

    take_steps(built, built.loss, strict)
