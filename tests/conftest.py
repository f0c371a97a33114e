"""What every test may ask for: the real data beside the checkout, a real Kafka, a real PostgreSQL, and
hypothesis's profiles."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.integration import kafka_broker, postgres_server
from tests.requirements import require_or_skip

CHECKOUT = Path(__file__).resolve().parent.parent

# No deadline: a slow machine is not a bug. In CI the same examples every time, so that a failure
# there is a failure here; at home new ones at each run.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


#: Folders by how long their files take: none of these is begun last, with one process waiting for another.
LONGEST_FIRST = ("chaos", "integration", "model")


@pytest.hookimpl(trylast=True)  # after the random order, which is kept within each of these
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With pytest-xdist this is the order in which files are given to the processes."""

    def rank(item: pytest.Item) -> int:
        folder = item.path.parent.name
        return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=rank)


@pytest.fixture(autouse=True, scope="module")
def _what_a_file_leaves_open_is_told_there() -> Iterator[None]:
    """Whatever its tests forgot to close is collected at its end: the warning, an error here, would
    otherwise meet an innocent test of another file. A runner sets the collector for long lives, of this
    process too: that ends here as well."""
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()
    gc.collect()


def data_directory() -> Path:
    """Where the real data is (`FACTWATCH_TEST_DATA`, else `../shared/data` beside the checkout);
    the directory need not exist."""
    named = os.environ.get("FACTWATCH_TEST_DATA")
    return Path(named).expanduser() if named else CHECKOUT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The directory of real data. Tests that ask for it are skipped where it is absent, in CI too:
    it is no tool that could be installed."""
    directory = data_directory()
    if not directory.is_dir():
        pytest.skip(f"needs the real data: none in {directory}; FACTWATCH_TEST_DATA names another place")
    return directory


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HOST:PORT of a real Kafka, one for the whole session (with pytest-xdist: of each process);
    `FACTWATCH_TEST_KAFKA` names a running one, whose `factwatch.*` topics tests delete and make."""
    named = os.environ.get("FACTWATCH_TEST_KAFKA")
    if named:
        if int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1:
            pytest.fail("a Kafka of yours serves one process of tests: pytest -n0", pytrace=False)
        yield named
        return
    require_or_skip(kafka_broker.installed(), kafka_broker.HOW)
    with kafka_broker.running_broker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker.bootstrap


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[kafka_broker.KafkaBroker]:
    """A real Kafka of the test's own, which it may stop, kill and start again."""
    require_or_skip(kafka_broker.installed(), kafka_broker.HOW)
    with kafka_broker.running_broker(tmp_path / "kafka") as broker:
        yield broker


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Address of a real PostgreSQL, one for the whole session, whose user may make databases: make one
    of your own. `FACTWATCH_TEST_POSTGRES` names a running one."""
    named = os.environ.get("FACTWATCH_TEST_POSTGRES")
    if named:
        yield named
        return
    require_or_skip(postgres_server.installed(), postgres_server.HOW)
    with postgres_server.running_postgres() as server:
        yield server.url


@pytest.fixture
def own_postgres() -> Iterator[postgres_server.PostgresServer]:
    """A real PostgreSQL of the test's own, which it may stop, kill and start again."""
    require_or_skip(postgres_server.installed(), postgres_server.HOW)
    with postgres_server.running_postgres() as server:
        yield server
