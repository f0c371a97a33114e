"""`factwatch topics create`."""

from __future__ import annotations

import itertools
import os

import click

from streams.cli.output import print_json, said_if_slow, say, set_up_logging
from streams.cli.without_extra import kafka_extra
from streams.settings import load_settings
from streams.topics import DEFAULT_PARTITIONS


@click.group(short_help="Make the Kafka topics.")
def topics() -> None:
    """The topics of a distributed Factwatch."""


@topics.command(short_help="Make those that are missing; say what differs.")
@click.option(
    "--partitions",
    type=click.IntRange(1, 1_000),
    default=DEFAULT_PARTITIONS,
    show_default=True,
    help="Of the topics that workers share; they can't be changed later.",
)
@click.option(
    "--replication",
    type=click.IntRange(1, 10),
    default=1,
    show_default=True,
    help="Brokers that hold each record: 3 wherever losing one must lose nothing.",
)
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each topic.")
def create(partitions: int, replication: int, as_json: bool) -> None:
    """Make every topic that is missing at FACTWATCH_KAFKA_BOOTSTRAP.

    What is there already is compared and left alone: nothing is deleted or changed. Exit code 1 when
    something differs that makes workers wrong: partitions, the cleanup policy, too small a
    max.message.bytes. What else differs, such as a longer retention, is only told.
    """
    settings = load_settings(os.environ)
    set_up_logging(settings.log_level)
    with kafka_extra():
        from streams.kafka.admin import TopicState, create_topics
        from streams.kafka.complaints import listen
        from streams.kafka.security import connection_of
    listen(shown=settings.log_level == "debug")
    differing = unusable = 0
    connection = connection_of(settings)
    with said_if_slow(f"Asking Kafka at {connection.where} …"):
        reports = create_topics(connection, partitions, replication)
        first = next(reports)
    for report in itertools.chain((first,), reports):
        differing += report.state is TopicState.DIFFERS
        unusable += report.unusable
        if as_json:
            print_json(report)
            continue
        click.echo(f"{report.name:<30} {report.state}")
        for difference in report.differences:
            click.echo(f"  {difference}")
    if unusable:
        say(
            f"{unusable} topics are not as workers need them and were left as they are: give the options "
            "they were made with, or change them with Kafka's own tools"
        )
        raise click.exceptions.Exit(1)
    if differing:
        say(
            f"{differing} topics differ from what was asked for and were left as they are: workers can use them"
        )
