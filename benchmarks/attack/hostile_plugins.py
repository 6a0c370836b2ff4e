"""Plugins with hostile code, installed in a folder as pip would."""

from __future__ import annotations

import textwrap
from pathlib import Path

FATAL = {
    "exits": "import os\nos._exit(0)",
    "exits_late": "import atexit, os\natexit.register(os._exit, 7)",
    "crashes": "import ctypes\nctypes.string_at(0)",
    "kills": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "terminates": "import os, signal\nsignal.signal(15, signal.SIG_DFL)\nos.kill(os.getpid(), 15)",
    "aborts": "import os\nos.abort()",
    "forks": "import os\nos.fork()",
    "leaves_a_fork": "import os, time\nif not os.fork():\n    time.sleep(300)\n    os._exit(0)",
    "leaves_a_daemon": (
        "import subprocess\nsubprocess.Popen(['sleep', '300'], start_new_session=True)"
    ),
    "overflows": "import sys\nsys.setrecursionlimit(10**6)\ndef deep():\n    deep()\n"
    "class Deep:\n    def __repr__(self): return repr(self)\nrepr(Deep())",
}
"""Code that ends the process, forks it, or leaves a process."""

HANGING = {
    "hangs": "import time\ntime.sleep(300)",
    "loops": "while True: pass",
    "blocks_in_c": "import ctypes\nctypes.CDLL(None).sleep(300)",
    "swallows_interrupts": (
        "import time\nwhile True:\n    try: time.sleep(300)\n    except BaseException: pass"
    ),
    "leaves_a_thread": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(300,)).start()"
    ),
    "blocks_the_end": "import atexit, time\natexit.register(time.sleep, 300)",
    "deadlocks": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
}
"""Code after which the process does not progress, or does not end."""

RAISING = {
    "raises": "raise ValueError('no')",
    "exits_softly": "import sys\nsys.exit(3)",
    "raises_generator_exit": "raise GeneratorExit",
    "raises_its_own": "class End(BaseException): pass\nraise End('x')",
    "has_no_message": (
        "class Mute(BaseException):\n    def __str__(self): raise self\n"
        "    __repr__ = __str__\nraise Mute"
    ),
    "says_too_much": "raise ValueError('long ' * 99_999)",
    "says_controls": "raise ValueError('\\x1b[31mred\\x1b[2J\\r\\u202eabc')",
    "nests_errors": "def deep(n):\n    try: 1 / n\n    except Exception as e:\n"
    "        raise RuntimeError from e\ndeep(0)",
    "recurses": "def deep(): deep()\ndeep()",
    "asserts": "assert False",
    "stops": "raise StopIteration",
    "runs_out_of_memory": "raise MemoryError",
}
"""Code that raises."""

HARMFUL = {
    "interrupts": "raise KeyboardInterrupt",
    "poisons_json": "import sys\nsys.modules['json'] = 'garbage'",
    "poisons_torch": "import sys\nsys.modules['torch'] = object()",
    "poisons_ltbench": "import sys\nsys.modules['ltbench.specs'] = None",
    "poisons_rich": "import sys, types\nsys.modules['rich'] = types.ModuleType('rich')",
    "breaks_json": "import json\njson.dumps = None",
    "patches_json": "import json\njson.dumps = lambda *given, **named: 1 / 0",
    "patches_os": "import os\nos.fspath = os.stat = lambda *given, **named: 1 / 0",
    "breaks_built_ins": "import builtins\nbuiltins.isinstance = builtins.print = None",
    "patches_built_ins": "import builtins\nbuiltins.len = lambda one: 0",
    "removes_built_ins": "import builtins\ndel builtins.len, builtins.dict",
    "closes_stdout": "import sys\nsys.stdout.close()",
    "closes_streams": "import sys\nsys.__stdout__.close()\nsys.__stderr__.close()",
    "closes_files": "import os\nos.closerange(0, 200)",
    "removes_modules": (
        "import sys\nfor name in ['os', 'ltbench', 'warnings']: del sys.modules[name]"
    ),
}
"""Code that would break the command that executes it."""

RUDE = {
    "writes": "import os\nos.write(1, b'noise')",
    "prints": "print('noise', flush=True)",
    "prints_late": "import sys\nsys.__stdout__.write('noise')",
    "writes_from_c": "import ctypes\nctypes.CDLL(None).printf(b'noise')",
    "writes_from_a_child": "import os\nos.system('echo noise')",
    "closes_1": "import os\nos.close(1)",
    "has_no_streams": "import sys\nsys.stdout = sys.stderr = sys.__stdout__ = None",
    "changes_folder": "import os\nos.chdir('/')",
    "clears_environment": "import os\nos.environ.clear()",
    "changes_umask": "import os\nos.umask(0o777)",
    "lowers_recursion": "import sys\nsys.setrecursionlimit(150)",
    "ignores_signals": (
        "import signal\nfor number in (2, 15): signal.signal(number, signal.SIG_IGN)"
    ),
    "sets_an_alarm": "import signal\nsignal.alarm(1)",
    "raises_warnings": "import warnings\nwarnings.simplefilter('error')",
    "clears_path": "import sys\nsys.path.clear()\nsys.meta_path.clear()\nsys.path_hooks.clear()",
    "traces": "import sys\nsys.settrace(lambda *given: 1 / 0)",
    "hooks_exceptions": "import sys\nsys.excepthook = sys.argv = sys.displayhook = None",
    "stops_collection": "import gc\ngc.disable()",
}
"""Code whose effects are undone; its plugin may be loaded."""

REFUSED = FATAL | HANGING | RAISING | HARMFUL
PLACES = ("import", "hook", "inner module", "spec")

_GOOD = """\
from dataclasses import dataclass
from ltbench import LossSpec, hookimpl, option
{at_import}

@dataclass(frozen=True)
class Config:
    scale: float = option(1.0, "of the logits")


def build(config, ctx):
{at_build}
    from torch.nn.functional import cross_entropy

    def loss(logits, labels):
{at_call}
        return cross_entropy(config.scale * logits, labels)

    return loss


class Lazy(list):
    def __iter__(self):
{at_iteration}
        return super().__iter__()


@hookimpl
def ltbench_register_losses():
{at_hook}
    return Lazy([LossSpec(name="{name}_loss", summary="s", config=Config, build=build)])
"""


def install(folder: Path, name: str, code: str = "pass", place: str = "import") -> None:
    """Installs a plugin of one loss.

    Args:
        folder: Folder on the path of the commands.
        name: Name of the plugin; its loss is `<name>_loss`.
        code: Statements.
        place: Moment of their execution: one of `PLACES`, "build" or "call".
    """
    if place == "inner module":
        (folder / f"{name}_inner.py").write_text(code)
        code, place = f"import {name}_inner", "import"
    depths = {"import": 0, "build": 4, "call": 8, "spec": 8, "hook": 4}
    parts = {
        one: textwrap.indent(code if one == place else "pass", " " * depth)
        for one, depth in depths.items()
    }
    source = _GOOD.format(
        name=name,
        at_import=parts["import"],
        at_build=parts["build"],
        at_call=parts["call"],
        at_iteration=parts["spec"],
        at_hook=parts["hook"],
    )
    (folder / f"{name}_plugin.py").write_text(source)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ltbench]\n{name} = {name}_plugin\n")
