"""`factwatch`: the command. Each subcommand is a module beside this one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module

import click

import models.threads  # noqa: F401  # pins BLAS and OpenMP to one thread before anything loads them
from streams import __version__
from streams.cli.output import safe
from streams.errors import FactwatchError

MODULES = {
    "run": "streams.cli.run",
    "demo": "streams.cli.run",
    "replay": "streams.cli.replay",
    "train": "streams.cli.model",
    "evaluate": "streams.cli.model",
    "thresholds": "streams.cli.thresholds",
    "check": "streams.cli.check",
    "dead-letters": "streams.cli.dead_letters",
    "doctor": "streams.cli.doctor",
    "archive": "streams.cli.archive",
    "pager": "streams.cli.pager",
    "api": "streams.cli.api",
    "topics": "streams.cli.topics",
    "worker": "streams.cli.worker",
    "ingest": "streams.cli.ingest",
}
"""Where each command is."""


class Commands(click.Group):
    """Loads a command when it is asked for: all of them together take over a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in MODULES:
            near = get_close_matches(cmd_name, MODULES, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"no command {safe(cmd_name, 60)}{hint}", ctx)
        found: click.Command = getattr(import_module(MODULES[cmd_name]), cmd_name.replace("-", "_"))
        return found


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="factwatch")
def cli() -> None:
    """Says which facts on Wikimedia are contested or were just vandalised, and which revision to
    trust meanwhile.

    Settings are FACTWATCH_* environment variables: `factwatch doctor --settings` lists them.

    Exit codes: 0 done, 1 failed, 2 a bad setting or option, 3 a file that is not there or can't be read as
    what it should be, 4 a source or Kafka out of reach, 5 own state corrupt, 6 the model file is not what its manifest
    says, 7 too many dead letters, 8 the disk is full, 10 `check` found a vandalised or contested
    value, 11 `train --from-archive` found nothing better than the model in use, 130 interrupted (`run` and `demo` end with 0).
    """


def run_command(interrupted: Callable[[], bool]) -> int:
    """Errors of one line that say what to do; a traceback only for our own mistakes. Gives the exit
    code."""
    try:
        return int(cli.main(prog_name="factwatch", standalone_mode=False) or 0)
    except click.ClickException as err:
        click.echo(f"factwatch: {_said(err)}", err=True)
        return err.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except FactwatchError as err:
        if interrupted():
            raise KeyboardInterrupt from None
        click.echo(f"factwatch: {safe(str(err), 2_000)}", err=True)
        return err.exit_code
    except BrokenPipeError:
        # `factwatch … | head`: nobody reads any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _said(err: click.ClickException) -> str:
    """Without the two lines of usage that click puts before it."""
    said = safe(err.format_message().removesuffix("."), 2_000)
    context = err.ctx if isinstance(err, click.UsageError) else None
    return f"{said} (`{context.command_path} --help` says more)" if context is not None else said
