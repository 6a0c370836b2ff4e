"""Resolution of settings: layers defaults, recipes and the user's settings into a `RunSpec`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ltbench.config.options import dump_options, parse_options
from ltbench.config.runspec import MOVED, REMARKS, Choice, RunConfig, RunSpec, TrainConfig
from ltbench.contexts import DataContext
from ltbench.errors import ConfigError, suggestion
from ltbench.progress import SILENT, ProgressReporter
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.component import Component
from ltbench.registry.registry import Registry
from ltbench.specs import SPECS, BackboneSpec, DatasetSpec, MethodSpec, Recipe, Settings

RUN_KEYS = [item.name for item in fields(RunConfig)]
_WITH_RECIPES = ("backbone", "method", "dataset")  # each overrules those before it


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

    def build(self, kind: str, ctx: Any) -> Any:
        """Builds the component of a kind.

        Raises:
            PluginError: Its plugin raised an error that is not one of ltbench.
        """
        component = self.components[kind]
        with attribute_errors(component):
            return component.spec.build(self.configs[kind], ctx)


class _Layers:
    """The settings so far, and the source of each."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.sources: dict[str, str] = {}

    def put(self, settings: Settings, source: str) -> None:
        # A recipe's options belong to the component it chose: another choice drops them.
        for kind in SPECS.keys() & settings.keys():
            if settings[kind] != self.values.get(kind):
                self._drop(kind)
        # A table that is set as a whole takes the place of what was set within it.
        for key in settings:
            if "." in key:
                self._drop(key)
        for key, value in settings.items():
            self.values[key] = value
            self.sources[key] = source

    def _drop(self, prefix: str) -> None:
        for key in [key for key in self.values if key.startswith(f"{prefix}.")]:
            del self.values[key]

    def with_source(self, fault: str) -> str:
        """Returns a fault with the source of its key, unless that is the user."""
        key = fault.partition(":")[0]
        while key not in self.sources and key.count(".") > 1:
            key = key.rpartition(".")[0]  # the table that it is in
        source = self.sources.get(key, "user")
        return fault if source in ("user", "default") else f"{fault} ({source})"

    def section(self, name: str) -> dict[str, Any]:
        prefix = f"{name}."
        return {k[len(prefix) :]: v for k, v in self.values.items() if k.startswith(prefix)}


@dataclass
class _Faults:
    """Faults of the settings, with hints."""

    messages: list[str]
    hints: list[str] = field(default_factory=list)

    def find(self, registry: Registry, kind: str, layers: _Layers) -> Component | None:
        try:
            return registry.find(kind, layers.values[kind])
        except ConfigError as error:
            self.messages.append(error.message)
            self.hints.append(f"{kind}: {error.hint}")
            return None

    def parse(
        self, config: type, values: Settings, where: str, owner: str, layers: _Layers
    ) -> Any | None:
        parsed, faults = parse_options(config, values, where, owner)
        for fault in faults:
            # Keys of a run have no section: the user writes `seed`, not `run.seed`.
            fault = fault.removeprefix("run.")
            key = fault.partition(":")[0]
            if key in MOVED:
                fault = f"{key}: not a key of the training any more: set {MOVED[key]}"
            message = layers.with_source(fault)
            remark = REMARKS.get(key)
            self.messages.append(f"{message}: {remark}" if remark else message)
        return parsed


def resolve(
    registry: Registry,
    user: Settings,
    data_root: Path,
    faults: Sequence[str] = (),
    *,
    identify: bool = True,
    progress: ProgressReporter = SILENT,
    identities: dict[str, str] | None = None,
) -> Resolved:
    """Makes every choice of a run.

    Args:
        registry: Registered components.
        user: Settings of the user, by dotted key; `Text` where the type is open.
        data_root: Folder that holds the data sets.
        faults: Faults that were found before, to be shown with the others.
        identify: Whether data set and backbone are identified. Without, no file has to be in
            place, and the hash is not that of a run.
        progress: Progress reporter for reading images that have not been read before.
        identities: Cache of identities, which is added to: many runs on one data set then read its
            files once. None: no cache.

    Raises:
        ConfigError: Settings are wrong; the message has all faults.
        DataError: The data set's split or the backbone's weights cannot be identified.
    """
    found = _Faults([*faults, *(fault for key in user for fault in _key_faults(key))])
    layers, recipes = _layer(registry, user, found)
    components, configs = _components(registry, layers, recipes, found)
    train = found.parse(TrainConfig, layers.section("train"), "train", "the training", layers)
    of_run = {key: layers.values[key] for key in RUN_KEYS if key in layers.values}
    run = found.parse(RunConfig, of_run, "run", "the run", layers)
    if found.messages or train is None or run is None:
        hint = "; ".join(found.hints) or _where_to_look(found.messages, layers.values)
        raise ConfigError.from_faults(found.messages, hint=hint)

    data = DataContext(root=data_root, data_seed=run.data_seed, progress=progress)
    known = {} if identities is None else identities
    choices: dict[str, Any] = {}
    for kind, component in components.items():
        options, paths = dump_options(configs[kind])
        about = f"{kind} {component.spec.name} {run.data_seed} {options} {paths}"
        if identify and about not in known:
            known[about] = _identity(component, configs[kind], data)
        choices[kind] = Choice(
            name=component.spec.name,
            options=options,
            # Absolute: a later reader may be in another folder.
            paths={name: str(Path(path).expanduser().absolute()) for name, path in paths.items()},
            plugin=f"{component.plugin.distribution} {component.plugin.version}",
            identity=known[about] if identify else "",
            version=component.spec.version,
        )
    spec = RunSpec(**choices, train=train, **dump_options(run)[0])
    return Resolved(spec, components, configs, data, layers.sources)


def _layer(
    registry: Registry, user: Settings, found: _Faults
) -> tuple[_Layers, dict[str, Component]]:
    """Returns all settings, layered, and the components with recipes."""
    layers = _Layers()
    layers.put({kind: registry.default(kind) for kind in SPECS}, "default")
    layers.put({kind: user[kind] for kind in SPECS if kind in user}, "user")
    recipes = {
        kind: component
        for kind in _WITH_RECIPES
        if (component := found.find(registry, kind, layers)) is not None
    }
    for settings, source in _recipes(recipes):
        found.messages += [f"{fault} ({source})" for key in settings for fault in _key_faults(key)]
        layers.put(settings, source)
    method = recipes["method"].spec if "method" in recipes else None
    if isinstance(method, MethodSpec):  # the user's options are for the components fixed by it
        layers.put(method.fixed, f"fixed by method {method.name}")
    layers.put(user, "user")
    if isinstance(method, MethodSpec):
        for key, value in method.fixed.items():
            fixed = str(value).lower()
            if key in user and str(user[key]).lower() != fixed:
                found.messages.append(
                    f"{key}: method '{method.name}' is made of {key}={fixed}, no other"
                )
        layers.put(method.fixed, f"fixed by method {method.name}")
    return layers, recipes


def _components(
    registry: Registry, layers: _Layers, recipes: Mapping[str, Component], found: _Faults
) -> tuple[dict[str, Component], dict[str, Any]]:
    """Returns the component of each kind and its config, where they are valid."""
    components, configs = {}, {}
    for kind in SPECS:
        if kind in recipes:
            component: Component | None = recipes[kind]
        elif kind in _WITH_RECIPES:
            continue  # its fault is found already
        else:
            component = found.find(registry, kind, layers)
        if component is not None:
            name = f"{kind} '{component.spec.name}'"
            with attribute_errors(component):
                configs[kind] = found.parse(
                    component.spec.config, layers.section(kind), kind, name, layers
                )
            components[kind] = component
    return components, configs


def settings_of(spec: RunSpec) -> dict[str, Any]:
    """Returns the settings that resolve to a spec."""
    settings: dict[str, Any] = {}
    for kind, choice in spec.choices().items():
        settings[kind] = choice.name
        for name, value in {**choice.options, **choice.paths}.items():
            settings[f"{kind}.{name}"] = value
    settings |= {f"train.{name}": value for name, value in asdict(spec.train).items()}
    return settings | {key: getattr(spec, key) for key in RUN_KEYS}


def _recipes(found: Mapping[str, Component]) -> Iterator[tuple[Settings, str]]:
    for kind, component in found.items():
        yield _recipe(component).settings, f"recipe of {kind} {component.spec.name}"
    if "method" in found and "dataset" in found:
        name = found["dataset"].spec.name
        method = found["method"]
        settings = _recipe(method).by_dataset.get(name, {})
        yield settings, f"recipe of method {method.spec.name} for {name}"


def _recipe(component: Component) -> Recipe:
    spec = component.spec
    assert isinstance(spec, BackboneSpec | MethodSpec | DatasetSpec)
    return spec.recipe


def _identity(component: Component, config: Any, data: DataContext) -> str:
    spec = component.spec
    with attribute_errors(component):
        if isinstance(spec, DatasetSpec):
            return spec.identity(config, data)
        if isinstance(spec, BackboneSpec):
            return spec.identity(config)
    return ""


def _key_faults(key: str) -> list[str]:
    head, dot, _ = key.partition(".")
    if dot and head not in {*SPECS, "train"}:
        return [f"{key}: there is no section '{head}'; {suggestion(head, [*SPECS, 'train'])}"]
    if not dot and head not in {*SPECS, *RUN_KEYS}:
        training = [item.name for item in fields(TrainConfig)]
        if head in training:
            return [f"{key}: there is no such key; did you mean 'train.{head}'?"]
        return [f"{key}: there is no such key; {suggestion(key, [*SPECS, *RUN_KEYS])}"]
    return []


def _where_to_look(faults: list[str], chosen: Settings) -> str:
    kinds = sorted({fault.partition(".")[0] for fault in faults} & SPECS.keys())
    verbs = [f"`ltbench show {kind} {chosen[kind]}`" for kind in kinds]
    return "see " + " and ".join(verbs) if verbs else "see `ltbench run --help`"
