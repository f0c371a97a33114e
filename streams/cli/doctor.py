"""`factwatch doctor`: is everything there that a run needs? A line for each, with a way out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping

import click

from streams.cli import doctor_local, doctor_remote, doctor_servers
from streams.cli.doctor_check import Check, Clocks, asked, checked
from streams.cli.output import print_json, safe
from streams.settings import PARSERS, Settings, load_settings, variable_of

#: Settings whose value may hold a secret: shown as set or not.
SECRET = frozenset({"webhook_url", "database_url", "alertmanager_url", "pager_webhook_url"})


@click.command(short_help="Check settings, state, model, servers, clocks and disk.")
@click.option("--settings", "list_settings", is_flag=True, help="List every setting and its value.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def doctor(list_settings: bool, as_json: bool) -> None:
    """Check what a run needs. Exit code 1 if anything is not as it should be.

    Kafka and its topics are asked for where FACTWATCH_KAFKA_BOOTSTRAP is set, the archive where
    FACTWATCH_DATABASE_URL is, Alertmanager where FACTWATCH_ALERTMANAGER_URL is. Nobody who does not answer
    takes longer than 5 s.
    """
    settings = load_settings(os.environ)
    if list_settings:
        _list_settings(settings, os.environ, as_json=as_json)
        return
    failed = False
    for check in checks(settings, os.environ):
        failed |= not check.ok
        if as_json:
            print_json(check)
        else:
            mark = click.style("ok  ", fg="green") if check.ok else click.style("FAIL", fg="red")
            click.echo(f"{mark} {check.name:<13} {safe(check.detail, 500)}")
    sys.exit(1 if failed else 0)


def checks(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    """Each is done when it is asked for, and none raises."""
    clocks = Clocks()
    yield Check("settings", True, f"{len(PARSERS)} settings read; list them with --settings")
    yield checked("model", lambda: doctor_local.model(settings))
    yield checked("state", lambda: doctor_local.state(settings))
    yield checked("disk", lambda: doctor_local.disk(settings))
    yield checked("page", lambda: doctor_local.page(settings))
    yield checked("tokens", lambda: doctor_local.tokens(settings))
    yield from _of_wikis(settings, clocks)
    if variable_of("kafka_bootstrap") in environ:
        broker = asked("kafka", lambda: doctor_servers.kafka(settings))
        yield broker
        if broker.ok:
            yield asked("topics", lambda: doctor_servers.topics(settings))
        else:
            yield Check("topics", False, "not known while Kafka can't be asked")
    if settings.database_url:
        yield asked("archive", lambda: doctor_servers.archive(settings, clocks))
    yield from _of_receivers(settings, clocks)
    yield checked("clocks", clocks.compared)


def _of_wikis(settings: Settings, clocks: Clocks) -> Iterator[Check]:
    yield asked("eventstreams", lambda: doctor_remote.eventstreams(settings, clocks))
    for wiki, host in settings.wikis.items():
        if host and settings.content:
            yield asked(
                f"api {wiki}",
                lambda wiki=wiki, host=host: doctor_remote.action_api(settings, wiki, host, clocks),  # type: ignore[misc]
            )


def _of_receivers(settings: Settings, clocks: Clocks) -> Iterator[Check]:
    for url in settings.alertmanager_url:
        yield asked(
            "alertmanager",
            lambda url=url: doctor_remote.alertmanager(settings, url, clocks),  # type: ignore[misc]
        )
    for field, name in (("pager_webhook_url", "pager webhook"), ("webhook_url", "webhook")):
        if getattr(settings, field):
            yield asked(
                name,
                lambda field=field: doctor_remote.webhook(getattr(settings, field), variable_of(field)),  # type: ignore[misc]
            )


def _list_settings(settings: Settings, environ: Mapping[str, str], *, as_json: bool) -> None:
    width = max(len(variable_of(field)) for field in PARSERS)
    for field in PARSERS:
        value = getattr(settings, field)
        shown = ("(set)" if value else "") if field in SECRET else _shown(value)
        is_set = variable_of(field) in environ
        if as_json:
            print_json({"name": variable_of(field), "value": shown, "set": is_set})
        else:
            click.echo(f"{variable_of(field):<{width}} {shown}{'' if is_set else '  (default)'}")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={host}" if host else name for name, host in value.items())
    if isinstance(value, frozenset):
        return ",".join(str(member) for member in sorted(value))
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else f"{value:.15g}" if isinstance(value, float) else str(value)
