"""Resolution of settings: layers defaults, recipes and the user's settings into a `RunSpec`."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ltbench.config.layers import WITH_RECIPES, Layers, fixed_settings, recipe_layers
from ltbench.config.lookups import Lookups, frozen
from ltbench.config.quick_look import FAST
from ltbench.config.runspec import MOVED, REMARKS, RunConfig, RunSpec, TrainConfig
from ltbench.contexts import DataContext
from ltbench.errors import ConfigError, shortened, suggestion
from ltbench.progress import SILENT, ProgressReporter
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.component import Component
from ltbench.registry.registry import Registry
from ltbench.specs import SPECS, BackboneSpec, MethodSpec, Settings

RUN_KEYS = [item.name for item in fields(RunConfig)]
_KEYS_OF_RUN = frozenset(RUN_KEYS)
_TRAIN = "train."
_SECTIONS = frozenset({*SPECS, "train"})
_PLAIN_KEYS = frozenset({*SPECS, *RUN_KEYS})


@dataclass(frozen=True)
class Resolved:
    """A run with the components and configs that it is built from.

    Args:
        spec: Description of the run.
        components: Registered component of each kind.
        configs: Config of each kind's component.
        data: Context of the data set's `build`.
        sources: Source of each key: "default", "recipe of method lift_plus", "user".
    """

    spec: RunSpec
    components: Mapping[str, Component]
    configs: Mapping[str, Any]
    data: DataContext
    sources: Mapping[str, str]

    def with_spec(self, spec: RunSpec) -> Resolved:
        """Returns a run of the same components with another description."""
        # Not `dataclasses.replace`, which takes five times as long.
        other = object.__new__(Resolved)
        vars(other).update(vars(self), spec=spec)
        return other

    @property
    def seedless(self) -> bool:
        """Whether the run's seed changes no number: nothing is trained, and nothing is drawn."""
        method, backbone = (self.components[kind].spec for kind in ("method", "backbone"))
        assert isinstance(method, MethodSpec)
        assert isinstance(backbone, BackboneSpec)
        return (
            method.seedless
            and self.spec.train.epochs == 0
            and self.components["refinement"].spec.default
            and not backbone.random_weights(self.configs["backbone"])
        )

    def build(self, kind: str, ctx: Any) -> Any:
        """Builds the component of a kind.

        Raises:
            PluginError: Its plugin raised an error that is not one of ltbench.
        """
        component = self.components[kind]
        with attribute_errors(component):
            return component.spec.build(self.configs[kind], ctx)


def resolve(
    registry: Registry,
    user: Settings,
    data_root: Path,
    faults: Sequence[str] = (),
    *,
    identify: bool | Container[str] = True,
    progress: ProgressReporter = SILENT,
) -> Resolved:
    """Makes every choice of a run.

    Args:
        registry: Registered components.
        user: Settings of the user, by dotted key; `Text` where the type is open.
        data_root: Folder that holds the data sets.
        faults: Faults that were found before, to be shown with the others.
        identify: Whether the files of data set, backbone and init are identified, or the kinds of
            those that are. Without, no file has to be in place, and the hash is not that of a run.
        progress: Progress reporter for reading images that have not been read before.

    Raises:
        ConfigError: Settings are wrong; the message has all faults.
        DataError: The files of data set, backbone or init cannot be identified.
    """
    return Resolver(registry, data_root, progress).resolve(user, faults, identify=identify)


@dataclass
class _Base:
    """The layers below the user's settings, for the components that the user chose.

    Args:
        layers: The layers.
        recipes: Components with recipes by kind.
        fixed: Settings that define the method.
        faults: Faults of the choice and of the recipes.
    """

    layers: Layers
    recipes: dict[str, Component]
    fixed: Settings
    faults: _Faults


@dataclass
class _Chosen:
    """The components that settings choose.

    Args:
        components: Component of each kind that is valid.
        configs: Config of each kind's component.
        faults: Faults of the choices and of their options.
        choices: Choice of each kind, by data seed, limit and the kinds that were identified.
    """

    components: dict[str, Component]
    configs: dict[str, Any]
    faults: _Faults
    choices: dict[object, dict[str, Any]] = field(default_factory=dict)


@dataclass
class _Faults:
    """Faults of the settings, with hints."""

    messages: list[str]
    hints: list[str] = field(default_factory=list)

    def add(self, other: _Faults) -> None:
        self.messages += other.messages
        self.hints += other.hints

    def add_unknown(self, kind: str, error: ConfigError) -> None:
        self.messages.append(error.message)
        self.hints.append(f"{kind}: {error.hint}")

    def add_parsed(self, faults: Sequence[str], layers: Layers) -> None:
        for fault in faults:
            # Keys of a run have no section: the user writes `seed`, not `run.seed`.
            fault = fault.removeprefix("run.")
            key = fault.partition(":")[0]
            if key in MOVED:
                fault = f"{key}: not a key of the training any more: set {MOVED[key]}"
            message = layers.with_source(fault)
            remark = REMARKS.get(key)
            self.messages.append(f"{message}: {remark}" if remark else message)


class Resolver:
    """Makes the choices of runs; what several runs have in common is looked up once.

    Args:
        registry: Registered components.
        data_root: Folder that holds the data sets.
        progress: Progress reporter for reading images that have not been read before.
    """

    def __init__(
        self, registry: Registry, data_root: Path, progress: ProgressReporter = SILENT
    ) -> None:
        self._data_root = data_root
        self._progress = progress
        self._lookups = Lookups(registry)
        self._bases: dict[object, _Base] = {}
        self._chosen: dict[object, _Chosen] = {}
        self._cells: dict[object, Resolved] = {}

    def resolve(
        self,
        user: Settings,
        faults: Sequence[str] = (),
        *,
        identify: bool | Container[str] = True,
    ) -> Resolved:
        """Makes every choice of a run: see the function `resolve`.

        Raises:
            ConfigError: Settings are wrong; the message has all faults.
            DataError: The files of data set, backbone or init cannot be identified.
        """
        cell = None
        if "seed" in user and not faults and isinstance(identify, bool):
            cell = identify, frozen({k: v for k, v in user.items() if k != "seed"})
            if cell in self._cells and (known := self.with_seed(self._cells[cell], user["seed"])):
                return known
        found = _Faults([*faults, *(fault for key in user for fault in _key_faults(key))])
        layers, recipes = self._layer(user, found)
        chosen = self._choose(user, layers, recipes)
        found.add(chosen.faults)
        of_run = {key: layers.values[key] for key in RUN_KEYS if key in layers.values}
        in_train = {k[len(_TRAIN) :]: v for k, v in layers.values.items() if k.startswith(_TRAIN)}
        train, wrong = self._lookups.parse(TrainConfig, in_train, "train", "the training")
        found.add_parsed(wrong, layers)
        run, wrong = self._lookups.parse(RunConfig, of_run, "run", "the run")
        found.add_parsed(wrong, layers)
        if found.messages or train is None or run is None:
            hint = "; ".join(found.hints) or _where_to_look(found.messages, layers.values)
            raise ConfigError.from_faults(found.messages, hint=hint)

        data = DataContext(
            root=self._data_root,
            data_seed=run.data_seed,
            limit=run.limit,
            progress=self._progress,
        )
        choices = self._choices(chosen, data, identify)
        spec = RunSpec(**choices, train=train, **self._lookups.dump(run)[0])
        sources = self._lookups.share(tuple(layers.sources.items()), layers.sources)
        resolved = Resolved(spec, chosen.components, chosen.configs, data, sources)
        if cell is not None:
            self._cells[cell] = resolved
        return resolved

    def with_seed(self, resolved: Resolved, seed: Any) -> Resolved | None:
        """Returns a run with another seed; None where the value is none.

        Args:
            resolved: Run that `resolve` returned.
            seed: Value that the user gave.
        """
        run, _ = self._lookups.parse(RunConfig, {"seed": seed}, "run", "the run")
        return resolved.with_spec(resolved.spec.with_seed(run.seed)) if run else None

    def _choices(
        self, chosen: _Chosen, data: DataContext, identify: bool | Container[str]
    ) -> dict[str, Any]:
        """Returns the choice of each kind.

        Raises:
            DataError: The files of data set, backbone or init cannot be identified.
        """
        identified = (SPECS if identify else ()) if isinstance(identify, bool) else identify
        key = data.data_seed, data.limit, *(kind in identified for kind in SPECS)
        if key not in chosen.choices:
            chosen.choices[key] = {
                kind: self._lookups.choice(
                    component, chosen.configs[kind], data, identify=kind in identified
                )
                for kind, component in chosen.components.items()
            }
        return chosen.choices[key]

    def ignored(self, user: Settings) -> list[str]:
        """Returns the keys of the training among settings whose method does not train.

        Such a method is defined by 0 epochs. A second stage that the user adds may train.

        Args:
            user: Settings of the user, by dotted key.
        """
        base = self._base_of(user)
        if base.fixed.get("train.epochs") != 0:
            return []
        stage = base.layers.values["refinement"]
        if stage not in (
            base.fixed.get("refinement"),
            self._lookups.registry.default("refinement"),
        ):
            return []
        return [key for key in user if key.startswith("train.")]

    def _base_of(self, user: Settings) -> _Base:
        """Returns the layers below the user's settings."""
        chosen = {kind: user[kind] for kind in SPECS if kind in user}
        key = frozen(chosen)
        if key not in self._bases:
            self._bases[key] = self._base(chosen)
        return self._bases[key]

    def _layer(self, user: Settings, found: _Faults) -> tuple[Layers, dict[str, Component]]:
        """Returns all settings, layered, and the components with recipes."""
        base = self._base_of(user)
        found.add(base.faults)
        layers = base.layers.copy()
        if str(user.get("fast")).lower() == "true":
            layers.put(FAST, "fast")
        layers.put(user, "user")
        if base.fixed:
            name = base.recipes["method"].spec.name
            for key, value in base.fixed.items():
                fixed = str(value).lower()
                if key in user and str(user[key]).lower() != fixed:
                    found.messages.append(
                        f"{key}: method '{name}' has {key}={fixed}, which cannot be changed"
                    )
            layers.put(base.fixed, f"fixed by method {name}")
        return layers, base.recipes

    def _base(self, chosen: Settings) -> _Base:
        layers, found = Layers(), _Faults([])
        registry = self._lookups.registry
        layers.put({kind: registry.default(kind) for kind in SPECS}, "default")
        layers.put(chosen, "user")
        recipes: dict[str, Component] = {}
        for kind in WITH_RECIPES:
            try:
                recipes[kind] = registry.find(kind, layers.values[kind])
            except ConfigError as error:
                found.add_unknown(kind, error)
        for settings, source in recipe_layers(recipes):
            wrong = [fault for key in settings for fault in _key_faults(key)]
            found.messages += [f"{fault} ({source})" for fault in wrong]
            layers.put(settings, source)
        fixed = fixed_settings(recipes)
        if fixed:  # the user's options are for the components fixed by the method
            layers.put(fixed, f"fixed by method {recipes['method'].spec.name}")
        return _Base(layers, recipes, fixed, found)

    def _choose(self, user: Settings, layers: Layers, recipes: dict[str, Component]) -> _Chosen:
        """Returns the components and their configs, which no setting of the run changes."""
        key = frozen({k: v for k, v in user.items() if k not in _KEYS_OF_RUN and k[:6] != _TRAIN})
        if key not in self._chosen:
            self._chosen[key] = self._components(layers, layers.sections(), recipes)
        return self._chosen[key]

    def _components(
        self,
        layers: Layers,
        sections: Mapping[str, Settings],
        recipes: dict[str, Component],
    ) -> _Chosen:
        """Returns the component of each kind and its config, where they are valid."""
        found = _Faults([])
        components, configs = {}, {}
        for kind in SPECS:
            component = recipes.get(kind)
            if component is None:
                if kind in WITH_RECIPES:
                    continue  # its fault is found already
                try:
                    component = self._lookups.find(kind, layers.values[kind])
                except ConfigError as error:
                    found.add_unknown(kind, error)
                    continue
            configs[kind], wrong = self._lookups.options(component, sections.get(kind, {}))
            found.add_parsed(wrong, layers)
            components[kind] = component
        return _Chosen(components, configs, found)


def settings_of(spec: RunSpec) -> dict[str, Any]:
    """Returns the settings that resolve to a spec."""
    settings: dict[str, Any] = {}
    for kind, choice in spec.choices().items():
        settings[kind] = choice.name
        for name, value in {**choice.options, **choice.paths}.items():
            settings[f"{kind}.{name}"] = value
    settings |= {f"train.{name}": value for name, value in vars(spec.train).items()}
    return settings | {key: getattr(spec, key) for key in RUN_KEYS}


def _key_faults(key: str) -> list[str]:
    head, dot, _ = key.partition(".")
    shown = shortened(key) or '""'
    if dot and head not in _SECTIONS:
        near = suggestion(head, _SECTIONS)
        return [f"{shown}: there is no section '{shortened(head)}'; {near}"]
    if not dot and head not in _PLAIN_KEYS:
        if head in {item.name for item in fields(TrainConfig)}:
            return [f"{shown}: there is no such key; did you mean 'train.{head}'?"]
        return [f"{shown}: there is no such key; {suggestion(key, _PLAIN_KEYS)}"]
    return []


def _where_to_look(faults: list[str], chosen: Settings) -> str:
    kinds = sorted({fault.partition(".")[0] for fault in faults} & SPECS.keys())
    verbs = [f"`ltbench show {kind} {chosen[kind]}`" for kind in kinds]
    return "see " + " and ".join(verbs) if verbs else "see `ltbench run --help`"
