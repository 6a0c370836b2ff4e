"""Attribution of errors to the component, and the plugin, whose code raised them."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ltbench.errors import DataError, LTBenchError, PluginError, is_out_of_memory
from ltbench.registry.component import Component
from ltbench.registry.inspect_source import at, described, place_in, place_of


@contextmanager
def attribute_errors(*components: Component) -> Iterator[None]:
    """Names the component and its plugin in an unforeseen error that one of them raises.

    Of several components, the one whose code is deepest in the traceback is named; an error that
    passed through none of them is raised unchanged.

    Args:
        components: Components whose code may run inside the block.

    Raises:
        DataError: In place of an error of the operating system about a file.
        PluginError: In place of any other error except those of ltbench itself and those about the
            memory of the device.
    """
    try:
        yield
    except LTBenchError:
        raise
    except BaseException as error:  # a plugin may raise anything
        if not isinstance(error, Exception | SystemExit) and not _is_own(error, components):
            raise
        sources = components if len(components) == 1 else _sources(error, components)
        if not sources or is_out_of_memory(error):
            raise
        title = str(sources[0])
        if len(sources) > 1:  # of one plugin
            names = " or ".join(f"{one.spec.kind} '{one.spec.name}'" for one in sources)
            title = f"{names} of plugin {sources[0].plugin}"
        if isinstance(error, OSError) and error.filename is not None:
            spec = sources[0].spec
            raise DataError(
                f"{spec.kind} '{spec.name}': {error.filename}: {error.strerror}",
                hint="check that it exists, is of the right kind, and is readable",
            ) from error
        build = sources[0].spec.build
        place = place_in(error, _module(build)) or place_of(build)
        raise PluginError(
            f"{title} raised {described(error)}{at(place)}",
            hint="report this to the plugin's author; `ltbench --debug ...` prints the traceback",
        ) from error


def describe_error(error: BaseException) -> str:
    """Returns type and message of an error, with the file and line that raised it."""
    return f"{described(error)}{at(place_in(error))}"


def _is_own(error: BaseException, components: Iterable[Component]) -> bool:
    """Returns whether a component raised an error that else means an interruption or an end."""
    if isinstance(error, KeyboardInterrupt):
        return False
    return any(place_in(error, _module(component.spec.build)) for component in components)


def _module(build: Any) -> str:
    return str(getattr(build, "__module__", None) or type(build).__module__)


def _sources(error: BaseException, components: Iterable[Component]) -> list[Component]:
    """Returns the components whose code is deepest in the traceback.

    Where that code is in a module in which none of them is built, these are all components of the
    plugin that the module belongs to.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    names = [str(frame.f_globals.get("__name__", "")) for frame in reversed(frames)]
    built = [(component, _module(component.spec.build)) for component in components]
    for name in names:
        for component, module in built:
            if module == name:
                return [component]
    for name in names:
        found = [one for one, module in built if module.split(".")[0] == name.split(".")[0]]
        if found:
            return found if len({one.plugin for one in found}) == 1 else []
    return []
