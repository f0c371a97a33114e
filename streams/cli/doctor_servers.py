"""What `factwatch doctor` asks of Kafka and of the archive's database, where the settings name them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from streams.cli.archive import archive_extra, database_of, quiet_libraries
from streams.cli.doctor_check import ANSWER_S, Clocks, Trouble
from streams.cli.without_extra import kafka_extra
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.kafka.admin import TopicReport


def kafka(settings: Settings) -> str:
    with kafka_extra():
        from streams.kafka.admin import describe_brokers
        from streams.kafka.complaints import listen
        from streams.kafka.security import connection_of
    listen(shown=False)
    connection = connection_of(settings)
    found = describe_brokers(connection, ANSWER_S)
    as_whom = f", {connection.protocol}" + (f" as {connection.username}" if connection.has_sasl else "")
    brokers = f"{found.brokers} brokers" if found.brokers > 1 else "one broker"
    return f"{connection.where} answers: {brokers}, understood up to Kafka {found.version}{as_whom}"


def topics(settings: Settings) -> str:
    with kafka_extra():
        from streams.kafka.admin import TopicState, compare_topics
        from streams.kafka.security import connection_of
    reports = compare_topics(connection_of(settings), ANSWER_S)
    missing = [report.name for report in reports if report.state is TopicState.MISSING]
    if missing:
        named = "none is there" if len(missing) == len(reports) else f"missing: {', '.join(missing)}"
        raise Trouble(f"{named}: `factwatch topics create` makes them")
    unusable = [report for report in reports if report.unusable]
    if unusable:
        raise Trouble(
            f"{_told(unusable)}: workers go wrong with that; change it with Kafka's own tools, or delete"
            " the topic and have `factwatch topics create` make it"
        )
    differing = [report for report in reports if report.differences]
    if differing:
        return f"{len(reports)} are there; otherwise than we make them: {_told(differing)}"
    return f"{len(reports)} are there, as they should be"


def _told(reports: list[TopicReport]) -> str:
    return "; ".join(f"{report.name} {', '.join(report.differences)}" for report in reports)


def archive(settings: Settings, clocks: Clocks) -> str:
    with archive_extra():
        from streams.archive.migrate import newest, version
    quiet_libraries()
    database = database_of(settings)
    found = version(database)
    server_time = database.server_time()
    if server_time is not None:
        clocks.note("the archive's database", server_time - time.time())
    if found is None:
        return f"{database.place} answers; `factwatch archive` will make its tables"
    behind = "" if found == newest() else f", `factwatch archive` brings them to {newest()}"
    return f"{database.place} answers: tables of version {found}{behind}"
