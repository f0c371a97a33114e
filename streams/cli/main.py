"""`factwatch`: the command. Each subcommand is a module beside this one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import click

import models.threads  # noqa: F401  # pins BLAS and OpenMP to one thread before anything loads them
from streams import __version__
from streams.cli.api import api
from streams.cli.archive import archive
from streams.cli.check import check
from streams.cli.dead_letters import dead_letters
from streams.cli.doctor import doctor
from streams.cli.ingest import ingest
from streams.cli.model import evaluate, train
from streams.cli.output import safe
from streams.cli.pager import pager
from streams.cli.replay import replay
from streams.cli.run import demo, run
from streams.cli.thresholds import thresholds
from streams.cli.topics import topics
from streams.cli.worker import worker
from streams.errors import FactwatchError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="factwatch")
def cli() -> None:
    """Says which facts on Wikimedia are contested or were just vandalised, and which revision to
    trust meanwhile.

    Settings are FACTWATCH_* environment variables: `factwatch doctor --settings` lists them.

    Exit codes: 0 done, 1 failed, 2 a bad setting or option, 3 a file that can't be read as what it
    should be, 4 a source or Kafka out of reach, 5 own state corrupt, 6 the model file is not what its manifest
    says, 7 too many dead letters, 8 the disk is full, 10 `check` found a vandalised or contested
    value, 11 `train --from-archive` found nothing better than the model in use, 130 interrupted (`run` and `demo` end with 0).
    """


for command in (
    run,
    demo,
    replay,
    train,
    evaluate,
    thresholds,
    check,
    dead_letters,
    doctor,
    archive,
    pager,
    api,
    topics,
    worker,
    ingest,
):
    cli.add_command(command)


def run_command(interrupted: Callable[[], bool]) -> int:
    """Errors of one line that say what to do; a traceback only for our own mistakes. Gives the exit
    code."""
    try:
        return int(cli.main(standalone_mode=False) or 0)
    except click.ClickException as err:
        err.show()
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
