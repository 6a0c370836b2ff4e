"""Checks of methods, on every small backbone."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ltbench.backbone import Backbone, LastBlock
from ltbench.contexts import BackboneContext
from ltbench.engine.building.built_run import BuiltRun
from ltbench.engine.training.checkpoint import load_learned, save_learned
from ltbench.engine.training.train_loader import image_loader
from ltbench.protocols import MergesItself
from ltbench.registry.component import Component
from ltbench.specs import ComponentSpec, MethodSpec, Settings
from ltbench.testing.bench import Bench, folder, images_of, take_steps, trials
from ltbench.testing.check import Check, Skipped, bind

_FLOAT32_TOLERANCE = 1e-4  # relative
_HALF_TOLERANCE = 0.02  # relative


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields the checks of a method."""
    functions = [
        check_frozen_weights_stay,
        check_everything_learned_moves,
        check_stored_weights_are_all,
        check_small_numbers,
        check_no_seed_changes_it,
    ]
    first = _is_first_of_its_modules(component, bench)
    if first:
        functions += [
            check_starts_as_the_backbone,
            check_token_wise,
            check_copies_are_independent,
            check_gradient_checkpointing,
            check_half_precision,
            check_merged_features,
        ]
    for number, trial in enumerate(trials(component)):
        for place, backbone in enumerate(bench.backbones()):
            subject = f"method {trial.name} on {backbone.name}"
            settings = {**backbone.settings, **trial.settings}
            repeated = place > 0 and not (first and number == 0)
            yield from bind(subject, functions, bench, settings, repeated=repeated)
            if first:  # tracing takes seconds, so it is done once for each mechanism
                compiles = (check_compiles_without_a_break,)
                again = place > 0 or number > 0
                yield from bind(subject, compiles, bench, settings, repeated=again)


def _is_first_of_its_modules(component: Component, bench: Bench) -> bool:
    """Returns whether no earlier method changes the backbone in the same way.

    Methods that differ only in their recipe need not be compiled twice.
    """

    def modules(spec: ComponentSpec) -> tuple[object, ...]:
        assert isinstance(spec, MethodSpec)
        return spec.build, spec.joint, spec.fixed.get("head")

    named = bench.registry.components["method"].values()
    same = (one for one in named if modules(one.spec) == modules(component.spec))
    return next(same) == component


@torch.no_grad()
def _logits(built: BuiltRun) -> Tensor:
    logits: Tensor = built.model.eval()(images_of(built))
    return logits


def _relative(ours: Tensor, reference: Tensor) -> float:
    return float(torch.linalg.norm(ours - reference) / torch.linalg.norm(reference))


def _learning(bench: Bench, settings: Settings) -> BuiltRun:
    built = bench.build_run(settings)
    if not built.model.learned():
        raise Skipped("nothing is learned")
    return built


def _encoder_learning(bench: Bench, settings: Settings) -> BuiltRun:
    """Returns a run whose method learns parameters of the encoder."""
    built = _learning(bench, settings)
    if all(name.startswith("head.") for name in built.model.learned()):
        raise Skipped("nothing is learned in the encoder")
    return built


def check_frozen_weights_stay(bench: Bench, settings: Settings) -> None:
    """Training leaves every frozen weight and every buffer unchanged, bit for bit."""
    built = _learning(bench, settings)
    model, learned = built.model, set(built.model.learned())
    before = {k: v.detach().clone() for k, v in model.state_dict().items() if k not in learned}
    take_steps(built, 2)
    after = model.state_dict()
    changed = [name for name, value in before.items() if not torch.equal(value, after[name])]
    assert not changed, f"{changed} are frozen, but changed"


def check_everything_learned_moves(bench: Bench, settings: Settings) -> None:
    """A gradient reaches every learned parameter, and training changes it."""
    built = _learning(bench, settings)
    learned = built.model.learned()
    before = {name: p.detach().clone() for name, p in learned.items()}
    take_gradients(built)
    unreached = [name for name, p in learned.items() if p.grad is None]
    assert not unreached, f"no gradient reaches {unreached}: is their module called?"
    # If a later layer starts at zero, the gradient is zero too.
    reached = [name for name, p in learned.items() if p.grad is not None and p.grad.any()]
    take_steps(built, 3)
    still = [name for name in reached if torch.equal(before[name], learned[name])]
    assert not still, f"{still} did not change"
    broken = [name for name, value in learned.items() if not value.isfinite().all()]
    assert not broken, f"{broken} are not finite"


def check_starts_as_the_backbone(bench: Bench, settings: Settings) -> None:
    """Before training, the features equal the backbone's own, if the method declares so."""
    resolved, built = bench.resolve(settings), bench.build_run(settings)
    method = resolved.components["method"].spec
    assert isinstance(method, MethodSpec)
    if not method.identity_at_start:
        raise Skipped("the method does not declare identity_at_start")
    plain = resolved.build("backbone", BackboneContext(seed=resolved.spec.seed)).eval()
    if method.joint:
        plain.project()
    images = images_of(built)
    with torch.no_grad():
        expected = plain(plain.normalize(images))
        backbone = built.model.backbone.eval()
        difference = _relative(backbone(backbone.normalize(images)), expected)
    assert difference < _FLOAT32_TOLERANCE, f"they differ by {100 * difference:.2g} %"


def check_stored_weights_are_all(bench: Bench, settings: Settings) -> None:
    """The learned weights, stored as safetensors, restore the trained model."""
    built, fresh = _learning(bench, settings), bench.build(settings)
    take_steps(built, 2)
    with folder() as name:
        path = Path(name) / "learned.safetensors"
        save_learned(built.model, path)
        load_learned(fresh.model, path)
    assert torch.equal(_logits(built), _logits(fresh)), "the restored model gives other logits"


def check_no_seed_changes_it(bench: Bench, settings: Settings) -> None:
    """A method that is declared seedless trains nothing, and no seed changes its logits."""
    method = bench.resolve(settings).components["method"].spec
    assert isinstance(method, MethodSpec)
    if not method.seedless:
        raise Skipped("the method does not declare seedless")
    assert method.fixed.get("train.epochs") == 0, 'fix the setting {"train.epochs": 0}'
    settings = {**settings, "dataset.counts": (40, 30)}  # more images than a cache takes
    built = bench.build({**settings, "seed": 0})
    assert not built.model.learned(), f"{sorted(built.model.learned())} are learned"
    if bench.resolve(settings).seedless:  # not where the backbone's weights are random
        images = images_of(built)
        with torch.no_grad():
            logits = [
                bench.build({**settings, "seed": seed}).model.eval()(images) for seed in (0, 1)
            ]
        assert torch.equal(*logits), "another seed gives other logits: set seedless=False"


def check_token_wise(bench: Bench, settings: Settings) -> None:
    """A method that is declared token-wise gives the same features with fewer tokens."""
    method = bench.resolve(settings).components["method"].spec
    assert isinstance(method, MethodSpec)
    if not method.token_wise:
        raise Skipped("the method does not declare token_wise")
    built = bench.build_run(settings)
    if not any(isinstance(module, LastBlock) for module in built.model.modules()):
        raise Skipped("the backbone reads every token")
    move_learned(built)
    fewer = _logits(built)
    built.model.backbone.compute_all_tokens()
    difference = _relative(fewer, _logits(built))
    assert difference < _FLOAT32_TOLERANCE, (
        f"with all tokens they differ by {100 * difference:.2g} %: set token_wise=False"
    )


def check_copies_are_independent(bench: Bench, settings: Settings) -> None:
    """A deep copy gives the same logits and shares no weights with the original."""
    _learning(bench, settings)
    built = bench.build(settings)  # a new build, because build_run returns a copy
    before = _logits(built)
    copied = replace(built, model=copy.deepcopy(built.model))
    assert torch.equal(before, _logits(copied)), "the copy gives other logits"
    with torch.no_grad():
        for parameter in copied.model.learned().values():
            parameter.add_(0.1 * torch.ones_like(parameter))
    assert torch.equal(before, _logits(built)), "changing the copy changes the original"
    assert not torch.equal(before, _logits(copied)), "the copy uses the original's weights"


def check_gradient_checkpointing(bench: Bench, settings: Settings) -> None:
    """Gradient checkpointing gives the same gradients up to rounding."""
    gradients = []
    for checkpointing in (False, True):
        built = _encoder_learning(bench, settings)
        switch = getattr(built.model.backbone.model, "set_grad_checkpointing", None)
        if switch is None:
            raise Skipped("the backbone has no gradient checkpointing")
        switch(checkpointing)
        take_gradients(built)
        gradients.append({name: p.grad for name, p in built.model.learned().items()})
    plain, again = gradients
    for name, expected in plain.items():
        computed = again[name]
        assert (computed is None) == (expected is None), f"only one run has a gradient of {name}"
        if computed is not None and expected is not None:
            tolerance = _FLOAT32_TOLERANCE * float(expected.abs().max()) + 1e-9
            close = torch.allclose(computed, expected, rtol=_FLOAT32_TOLERANCE, atol=tolerance)
            assert close, f"the gradients of {name} differ"


def take_gradients(built: BuiltRun) -> None:
    """Runs one backward pass."""
    built.model.training_mode()
    torch.manual_seed(0)
    built.loss.start_epoch(0.0)
    (part,) = next(image_loader(built, 0, 1).epoch(0, 8))
    built.loss(built.model(part.inputs), part.targets).backward()


def check_compiles_without_a_break(bench: Bench, settings: Settings) -> None:
    """torch.compile traces the encoder as one graph, which gives the same features."""
    built = _encoder_learning(bench, settings)
    backbone = built.model.backbone.eval()
    images = backbone.normalize(images_of(built))
    torch.compiler.reset()
    try:
        compiled = torch.compile(backbone, backend="eager", fullgraph=True)
        with torch.no_grad():
            difference = _relative(compiled(images), backbone(images))
    finally:
        torch.compiler.reset()
    assert difference < _FLOAT32_TOLERANCE, f"features differ by {100 * difference:.2g} %"


def check_half_precision(bench: Bench, settings: Settings) -> None:
    """In bfloat16 and float16 the features are within 2 % of those in float32.

    Where the backbone's own differ by more than that, they are within twice that difference.
    """
    resolved, built = bench.resolve(settings), bench.build_run(settings)
    backbone = built.model.backbone.eval()
    images = backbone.normalize(images_of(built))
    for dtype in (torch.bfloat16, torch.float16):
        difference = _half_difference(backbone, images, dtype)
        if difference >= _HALF_TOLERANCE:
            plain = resolved.build("backbone", BackboneContext(seed=resolved.spec.seed)).eval()
            allowed = 2 * _half_difference(plain, images, dtype)
            assert difference < allowed, f"{dtype}: {100 * difference:.1f} %"


@torch.no_grad()
def _half_difference(backbone: Backbone, images: Tensor, dtype: torch.dtype) -> float:
    """Returns the relative difference of features in half precision from those in float32."""
    exact = backbone(images)
    with torch.autocast("cpu", dtype=dtype):
        return _relative(backbone(images).float(), exact)


def check_merged_features(bench: Bench, settings: Settings) -> None:
    """A method with `merge` gives the same features after it, and a copy of the model stays."""
    resolved = bench.resolve(settings)
    built = bench.build_run(settings)
    method = resolved.build("method", built.context)
    if not isinstance(method, MergesItself):
        raise Skipped("the method has no merge")
    move_learned(built)
    backbone = built.model.eval().requires_grad_(False).backbone
    images = backbone.normalize(images_of(built))
    with torch.no_grad():
        expected, before = backbone(images), copy.deepcopy(backbone)
        method.merge(backbone)
        difference = _relative(backbone(images), expected)
        assert torch.equal(before(images), expected), "merge changes a copy of the model"
    assert difference < _FLOAT32_TOLERANCE, f"merged features differ by {100 * difference:.2g} %"


@torch.no_grad()
def move_learned(built: BuiltRun) -> None:
    """Changes every learned parameter a little: those that start at zero have no effect yet."""
    for parameter in built.model.learned().values():
        parameter.add_(0.1 * torch.randn_like(parameter))


def check_small_numbers(bench: Bench, settings: Settings) -> None:
    """Two classes, one of them with a single image, and a batch of one image work."""
    built = bench.build_run({**settings, "dataset.counts": (4, 1)})
    with torch.no_grad():
        logits = built.model.eval()(images_of(built, 1))
    assert logits.shape == (1, 2)
    assert logits.isfinite().all()
