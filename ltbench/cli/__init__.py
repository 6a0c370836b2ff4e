"""Command `ltbench`: a module for each verb; verbs that need torch import it late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from ltbench.io import interrupts

if TYPE_CHECKING:
    from ltbench.errors import ConfigError, LTBenchError

_MAX_MESSAGE = 1_200  # characters of an error, which may name a path of any length


def main() -> None:
    """Runs the command as a process of its own, which signals interrupt."""
    import gc

    interrupts.install()  # before the imports of anything else
    gc.disable()  # until the verb begins: imports make no garbage, and each search takes longer
    try:
        run_command()
    finally:
        gc.freeze()  # else Python's exit searches all libraries for garbage, for up to a second


def run_command() -> None:
    """Runs the command and turns errors into two lines on stderr and an exit code."""
    import errno
    import io
    import sys

    from ltbench.errors import ConfigError, LTBenchError
    from ltbench.io import process

    process.open_closed_streams()
    process.let_waiting_threads_sleep()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # for terminals that show ASCII only
    try:
        from ltbench.cli.app import UsageError, app

        try:
            process.expect_working_folder()
            with interrupts.named():
                code = app(prog_name="ltbench", standalone_mode=False)
        except UsageError as error:
            if not str(error):  # without a verb, the help is printed already
                sys.exit(ConfigError.exit_code)
            _fail(_as_config_error(error))
        interrupts.finish(code or 0)
        sys.stdout.flush()
        sys.exit(code)
    except LTBenchError as error:
        _fail(error)
    except BrokenPipeError:
        # The reader of the output has closed the pipe. Python would report it again at its exit.
        _silence(sys.stdout)
        sys.exit(1)
    except OSError as error:
        if error.filename is not None:  # of a folder or file that no command checks further
            what = f"{error.filename!s} cannot be used: {error.strerror}"
            _fail(LTBenchError(what, hint="check the path and its permissions"))
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise
        _silence(sys.stdout)
        _fail(LTBenchError(f"the output cannot be written: {error.strerror}"))


def _silence(stream: Any) -> None:
    """Discards what Python would write to a stream at its exit, which would raise again."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _as_config_error(error: Any) -> ConfigError:
    """Returns an error of the command line as a ConfigError."""
    from ltbench.errors import ConfigError

    command = error.ctx.command_path if error.ctx else "ltbench"
    message, hint = error.format_message(), f"see `{command} --help`"
    arguments = [one.metavar for one in error.ctx.command.params] if error.ctx else []
    if "RUN" in arguments and message.startswith("Got unexpected extra argument"):
        # The shell replaces a pattern such as runs/*/lora/* by all that it matches.
        hint = f"give one run, such as `{command} 199f` with a hash of `ltbench runs list`"
    return ConfigError(message, hint=hint)


def _fail(error: LTBenchError) -> NoReturn:
    """Prints an error and ends the command with its exit code."""
    import sys

    from ltbench.errors import shortened

    interrupts.finish(error.exit_code)
    from ltbench.cli.app import debugging

    if debugging():
        raise error
    from rich.markup import escape

    from ltbench.io.console import console

    errors = console(stderr=True)
    try:
        errors.print(
            f"[bold red]error:[/] {escape(shortened(error.message, _MAX_MESSAGE))}", soft_wrap=True
        )
        if error.hint:
            errors.print(f"[bold cyan]hint:[/] {escape(error.hint)}", soft_wrap=True)
    except OSError:  # the message cannot be written: the exit code remains
        _silence(sys.stderr)
    sys.exit(error.exit_code)
