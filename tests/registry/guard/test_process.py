"""What a plugin does to the process while it is loaded is found and undone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ltbench.errors import PluginError
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.component import Component, PluginInfo
from ltbench.registry.guard.module_changes import LIBRARIES
from ltbench.registry.guard.process_settings import changed, settings
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.specs import KINDS
from tests.broken import LOSS
from tests.test_architecture import ENGINE, imported

HARM = {
    "poisons_a_module": ("import sys; sys.modules['json'] = 3", "it replaces the module json"),
    "removes_a_module": (
        "import sys; del sys.modules['ltbench.specs']",
        "it removes the module ltbench.specs",
    ),
    "takes_the_place_of_a_library": (
        "import sys; sys.modules['jinja2'] = object()",
        "it puts something else in the place of the module jinja2",
    ),
    "breaks_a_function": ("import json; json.dumps = None", "it replaces json.dumps"),
    "replaces_a_function": (
        "import json\ndef dumps(*given): pass\njson.dumps = dumps",
        "it replaces json.dumps",
    ),
    "breaks_a_built_in": (
        "import builtins; builtins.isinstance = builtins.vars = None",
        "TypeError: 'NoneType' object is not callable",
    ),
    "replaces_a_built_in": (
        "import builtins\nbuiltins.open = lambda *given: None",
        "it replaces the built-in open",
    ),
}
FATAL = {
    "raises_generator_exit": ("raise GeneratorExit('x')", "GeneratorExit: x"),
    "raises_keyboard_interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt: "),
    "raises_its_own": ("class End(BaseException): pass\nraise End('x')", "End: x"),
    "has_no_message": (
        "class Mute(Exception):\n    def __str__(self): raise self\nraise Mute",
        "Mute: (it has no printable message)",
    ),
    "says_too_much": ("raise ValueError('x' * 9_000)", "ValueError: " + "x" * 900),
}
UNDONE = {
    "os.chdir('/')": "the working directory",
    "os.umask(0o777)": "the umask",
    "os.environ.pop('PATH')": "environment variables",
    "sys.setrecursionlimit(5_000)": "the recursion limit",
    "gc.disable()": "the garbage collection",
    "warnings.simplefilter('error', FutureWarning)": "the filters of warnings",
    "sys.path.clear()": "sys.path",
    "sys.meta_path.clear()": "sys.meta_path",
    "setattr(sys, 'argv', [])": "sys.argv",
    "sys.argv = None": "sys.argv",
    "sys.path = None": "sys.path",
    "os.environ = {}": "environment variables",
    "setattr(sys, 'excepthook', None)": "sys.excepthook",
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)": "the handler of SIGTERM",
    "signal.setitimer(signal.ITIMER_REAL, 90)": "the timer",
    "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])": "the blocked signals",
}


def load(folder: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> Registry:
    (folder / "guarded_plugin.py").write_text(LOSS.replace("LTBENCH_API = 1", line))
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "guarded_plugin", raising=False)
    return load_plugins([EntryPoint("bad", "guarded_plugin", "ltbench")], {})


@pytest.mark.parametrize("name", HARM | FATAL)
def test_harm_is_undone_and_its_plugin_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, said = (HARM | FATAL)[name]
    for module in ("guarded_plugin", "jinja2"):  # of other tests
        monkeypatch.delitem(sys.modules, module, raising=False)
    modules, built_ins = dict(sys.modules), [isinstance, vars, open, json.dumps]
    registry = load(tmp_path, monkeypatch, line)
    (failure,) = registry.failures
    assert failure.error.startswith(said)
    assert len(failure.error) < 1_500
    assert not registry.components["loss"]
    assert not registry.manager.has_plugin("bad")
    assert modules.items() <= sys.modules.items()
    assert [isinstance, vars, open, json.dumps] == built_ins
    assert "jinja2" not in sys.modules


@pytest.mark.parametrize("line", UNDONE)
def test_changed_settings_are_undone_and_named(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, handler = settings(), signal.getsignal(signal.SIGTERM)
    imports = "import gc, os, signal, sys, warnings; "
    registry = load(tmp_path, monkeypatch, f"{imports}{line}")
    assert "new_loss" in registry.components["loss"]
    (remark,) = registry.warnings
    assert remark.text == f"changes {UNDONE[line]} when it is loaded, which was undone"
    assert changed(before) == []
    assert signal.getsignal(signal.SIGTERM) == handler
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_what_libraries_do_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some_library.py").write_text(
        "import json, os, sys, warnings\ndef loads(text): return 'patched'\n"
        "json.loads, sys.modules['some_alias'] = loads, 3\nwarnings.simplefilter('ignore')\n"
        "os.environ['SOME_LIBRARY'] = '1'\n"
    )
    monkeypatch.setattr(json, "loads", json.loads)
    monkeypatch.setenv("SOME_LIBRARY", "0")
    monkeypatch.delenv("SOME_LIBRARY")
    registry = load(tmp_path, monkeypatch, "import some_library")
    assert (registry.failures, registry.warnings) == ([], [])
    assert json.loads("{}") == "patched"
    assert os.environ["SOME_LIBRARY"] == "1"
    del sys.modules["some_alias"]


@pytest.mark.full
def test_the_libraries_of_the_engine_are_known() -> None:
    names = {name.partition(".")[0] for path in ENGINE for name in imported(path)}
    assert names - sys.stdlib_module_names - {"ltbench", "pytest"} == LIBRARIES


WRITES = {
    "python": "print('noise', flush=True)",
    "buffered": "import sys; sys.__stdout__.write('noise')",
    "descriptor": "import os; os.write(1, b'noise')",
    "c": "import ctypes; ctypes.CDLL(None).printf(b'noise')",
    "child": "import os; os.system('printf noise')",
}


@pytest.mark.parametrize("end", ["pass", "raise ValueError"])
def test_stdout_has_nothing_of_a_plugin(end: str, tmp_path: Path) -> None:
    lines = "\n".join([*WRITES.values(), "sys.stdout.close()", "os.close(1)", end])
    (tmp_path / "loud_plugin.py").write_text(LOSS.replace("LTBENCH_API = 1", lines))
    code = (
        "import sys\nfrom importlib.metadata import EntryPoint\n"
        "from ltbench.registry.load import load_plugins\n"
        "print('first')\n"
        "print(load_plugins([EntryPoint('loud', 'loud_plugin', 'ltbench')]).failures[0].error)\n"
        "print('last', file=sys.stderr)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    said = "it closes sys.stderr" if end == "pass" else "ValueError"
    assert ended.stdout.startswith(f"first\n{said}")
    assert ended.stderr.endswith("last\n")
    assert ended.stdout.count("\n") == 2
    assert ended.stderr.count("noise") == len(WRITES)


def test_an_interruption_is_none_of_the_plugin_s_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = (
        "import os\ntry:\n    os.kill(os.getpid(), 2)\n    while True: pass\n"
        "except KeyboardInterrupt:\n    raise ValueError"
    )
    with pytest.raises(KeyboardInterrupt):
        load(tmp_path, monkeypatch, line)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_plugins_can_be_loaded_in_any_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Registry] = []
    thread = threading.Thread(
        target=lambda: loaded.append(load(tmp_path, monkeypatch, "LTBENCH_API = 1"))
    )
    thread.start()
    thread.join()
    assert loaded[0].failures == []


class Ending(BaseException):
    """An error that is none of Exception's."""


def failing(config: object, ctx: object) -> None:
    raise Ending("here")


def test_any_error_of_a_component_is_attributed() -> None:
    spec = KINDS["loss"](name="bad", summary="s", build=failing)
    component = Component(spec, PluginInfo("bad", "tests", "bad", "1"))
    said = r"raised Ending: here \(.*test_process.py:"
    with pytest.raises(PluginError, match=said), attribute_errors(component):
        failing(None, None)
    with pytest.raises(KeyboardInterrupt), attribute_errors(component):
        raise KeyboardInterrupt
