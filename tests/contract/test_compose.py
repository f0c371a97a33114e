"""The deployment holds together: docker-compose.yml, the Dockerfile, and what is mounted.

No container is started here. What can be known without is: the schema of the Compose Specification, the
rules of our own, and that every name on one side exists on the other.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
import yaml
from jsonschema import Draft202012Validator
from packaging.requirements import Requirement

from streams import __version__
from streams.cli.main import cli
from streams.settings import load_settings
from tests.conftest import CHECKOUT
from tests.integration import kafka_broker
from tests.requirements import require

SCHEMA = Path(__file__).parent / "compose-spec" / "compose-spec.json"
COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text("utf-8")
PROMETHEUS = CHECKOUT / "grafana" / "prometheus" / "prometheus.yml"
ALERTMANAGER = CHECKOUT / "grafana" / "alertmanager" / "alertmanager.yml"
DATASOURCES = CHECKOUT / "grafana" / "provisioning" / "datasources" / "datasources.yml"

OUR_IMAGE = f"factwatch:{__version__}"
OURS = sorted(name for name, service in SERVICES.items() if service["image"].startswith("factwatch:"))
ONE_SHOT = sorted(name for name, service in SERVICES.items() if service["restart"] == "no")
#: Not `latest`, not a bare major version: at least two numbers.
PINNED = re.compile(r"[a-z0-9./-]+:v?\d+\.\d+[A-Za-z0-9.-]*")
PUBLISHED = {"api", "grafana"}
NEEDS_THE_OUTSIDE = {"ingest", "ingest-posts", "worker", "alertmanager"}
#: A directory of secrets that need not be there: what is in it is the operator's choice.
SECRETS_OF_RECEIVERS = re.compile(r"\$\{SECRETS_DIR:\?[^}]*README[^}]*\}/pager")
#: Whose volume at /data has no name, and why.
UNNAMED_VOLUME = {"worker": "each worker has one of its own; it is a copy of changelog topics"}

every_service = pytest.mark.parametrize("name", sorted(SERVICES))


def interpolated(value: object) -> str:
    """With the defaults of `${NAME:-default}`, as Compose does it."""
    return re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", str(value))


def environment(name: str) -> dict[str, str]:
    return {key: interpolated(value) for key, value in SERVICES[name].get("environment", {}).items()}


def mounts(name: str) -> Iterator[tuple[str, str, str]]:
    """(source, target, options) of its volumes; the source of one without a name is empty."""
    for volume in SERVICES[name].get("volumes", []):
        source, _, rest = volume.rpartition(":/") if ":/" in volume else ("", "", volume[1:])
        target, _, options = rest.partition(":")
        yield source, f"/{target}", options


def test_the_file_is_what_the_compose_specification_allows() -> None:
    validator = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(COMPOSE)]
    assert errors == []


def test_the_schema_bites() -> None:
    validator = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    assert not validator.is_valid({"services": {"api": {"image": "x", "read-only": True}}})


@every_service
def test_an_image_is_pinned_to_a_version(name: str) -> None:
    assert PINNED.fullmatch(SERVICES[name]["image"])


@pytest.mark.parametrize("name", OURS)
def test_our_own_image_has_the_version_of_the_code(name: str) -> None:
    assert SERVICES[name]["image"] == OUR_IMAGE


def test_the_broker_is_the_one_that_the_tests_run_against() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{kafka_broker.VERSION}"


@every_service
def test_a_service_that_stays_says_whether_it_is_well(name: str) -> None:
    check = SERVICES[name].get("healthcheck", {})
    if name in ONE_SHOT:
        assert check == {"disable": True}
    elif name in OURS:
        assert check == {}, "the check of the Dockerfile holds"
        assert "HEALTHCHECK" in DOCKERFILE
    else:
        assert check["test"]
        assert {"interval", "timeout", "retries", "start_period"} <= set(check)


@every_service
def test_a_service_has_bounds(name: str) -> None:
    limits = SERVICES[name]["deploy"]["resources"]["limits"]
    assert float(limits["cpus"]) > 0
    assert re.fullmatch(r"\d+[mg]", limits["memory"])
    assert limits["pids"] > 0
    assert SERVICES[name]["logging"]["driver"] == "local", "the one that rotates by itself"
    assert all("size=" in mount for mount in SERVICES[name].get("tmpfs", []))


@every_service
def test_a_service_has_no_rights_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & set(service)
    assert "docker.sock" not in str(service)


@every_service
def test_what_is_mounted_is_there_and_can_not_be_written(name: str) -> None:
    for source, target, options in mounts(name):
        if source.startswith("./"):
            assert (CHECKOUT / source).exists(), source
            assert options == "ro", source
        elif SECRETS_OF_RECEIVERS.fullmatch(source):
            assert (name, target, options) == ("alertmanager", "/run/secrets/pager", "ro")
        elif source:
            assert source in COMPOSE["volumes"], source
        else:
            assert target == "/data"
            assert name in UNNAMED_VOLUME


def test_every_volume_network_and_secret_is_used() -> None:
    volumes = {source for name in SERVICES for source, _, _ in mounts(name)}
    networks = {network for service in SERVICES.values() for network in service["networks"]}
    secrets = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert set(COMPOSE["volumes"]) == {source for source in volumes if source and "/" not in source}
    assert set(COMPOSE["networks"]) == networks
    assert set(COMPOSE["secrets"]) == secrets


@every_service
def test_only_this_machine_reaches_what_is_published(name: str) -> None:
    ports = SERVICES[name].get("ports", [])
    assert bool(ports) == (name in PUBLISHED)
    assert all(port.startswith("127.0.0.1:") for port in ports)


@every_service
def test_only_what_needs_the_outside_has_a_way_there(name: str) -> None:
    assert COMPOSE["networks"]["backend"] == {"internal": True}
    masquerade = "com.docker.network.bridge.enable_ip_masquerade"
    assert COMPOSE["networks"]["published"]["driver_opts"][masquerade] == "false"
    expected = {"backend"}
    expected |= {"outside"} if name in NEEDS_THE_OUTSIDE else set()
    expected |= {"published"} if name in PUBLISHED else set()
    assert set(SERVICES[name]["networks"]) == expected


@every_service
def test_what_a_service_waits_for_can_come_true(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        condition = wait["condition"]
        if condition == "service_completed_successfully":
            assert other in ONE_SHOT
        else:
            assert other not in ONE_SHOT


def test_workers_can_be_many() -> None:
    worker = SERVICES["worker"]
    assert not {"container_name", "ports", "hostname"} & set(worker)
    assert "replicas" not in worker["deploy"], "else `--scale` is undone by the next `up`"
    assert [source for source, target, _ in mounts("worker") if target == "/data"] == [""]


@pytest.mark.parametrize("name", OURS)
def test_our_settings_are_ones_there_are_with_values_that_do(name: str, tmp_path: Path) -> None:
    given = environment(name)
    assert all(key.startswith("FACTWATCH_") for key in given)
    secret = tmp_path / "password"
    secret.write_text("not-a-real-one\n")
    for key, value in given.items():
        if value.startswith("/run/secrets/"):
            assert value.removeprefix("/run/secrets/") in SERVICES[name]["secrets"]
            given[key] = str(secret)
    settings = load_settings(given)
    assert settings.http_bind == "0.0.0.0:8080"
    assert settings.wikis == {"enwiki": "en.wikipedia.org"}


def test_the_settings_in_the_dockerfile_are_ones_there_are() -> None:
    given = dict(re.findall(r"(FACTWATCH_[A-Z_]+)=(\S+)", DOCKERFILE))
    assert given
    load_settings(given)


@pytest.mark.parametrize("name", OURS)
def test_the_command_of_a_service_exists(name: str) -> None:
    command: click.Command = cli
    rest = list(SERVICES[name]["command"])
    while rest and isinstance(command, click.Group):
        step = rest.pop(0)
        found = command.get_command(click.Context(command), step)
        assert found is not None, f"no command {step!r}"
        command = found
    assert not isinstance(command, click.Group)
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("-")} <= options


@every_service
def test_a_password_is_a_file_and_never_a_text(name: str) -> None:
    for key, value in environment(name).items():
        if re.search(r"PASSWORD|SECRET|TOKEN|CREDENTIAL", key):
            assert key.endswith("_FILE")
            assert value.startswith("/run/secrets/")
        if "://" in value and "," not in value:
            assert urlsplit(value).password is None, key
    for secret in SERVICES[name].get("secrets", []):
        assert secret in COMPOSE["secrets"]


@pytest.mark.parametrize("name", sorted(COMPOSE["secrets"]))
def test_without_passwords_compose_refuses_with_a_message(name: str) -> None:
    directory, _, file = COMPOSE["secrets"][name]["file"].rpartition("/")
    assert re.fullmatch(r"\$\{SECRETS_DIR:\?[^}]*README[^}]*\}", directory)
    assert file == name


def test_the_documentation_says_which_passwords_to_make() -> None:
    texts = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
    documented = "".join(text.read_text("utf-8") for text in texts)
    assert [name for name in COMPOSE["secrets"] if name not in documented] == []
    assert "SECRETS_DIR" in documented


def test_prometheus_reads_every_program_of_ours() -> None:
    config = yaml.safe_load(PROMETHEUS.read_text("utf-8"))
    static, by_name = set(), set()
    for job in config["scrape_configs"]:
        static |= {target for entry in job.get("static_configs", []) for target in entry["targets"]}
        for entry in job.get("dns_sd_configs", []):
            assert entry["type"] == "A", "an A record has no port of its own"
            by_name |= {f"{service}:{entry['port']}" for service in entry["names"]}
    assert "worker:8080" in by_name, "as many as there are"
    staying = set(OURS) - set(ONE_SHOT)
    assert {f"{name}:8080" for name in staying} <= static | by_name
    hosts = {target.rpartition(":")[0] for target in static | by_name}
    assert hosts - set(SERVICES) == {"127.0.0.1"}


def test_grafana_reads_from_services_there_are_with_a_password_it_is_given() -> None:
    sources = yaml.safe_load(DATASOURCES.read_text("utf-8"))["datasources"]
    for source in sources:
        url = source["url"] if "://" in source["url"] else f"postgres://{source['url']}"
        assert urlsplit(url).hostname in SERVICES
    secrets = re.findall(r"\$__file\{/run/secrets/(\w+)\}", DATASOURCES.read_text("utf-8"))
    assert secrets
    assert set(secrets) <= set(SERVICES["grafana"]["secrets"])


def test_prometheus_takes_its_configuration() -> None:
    promtool = require("promtool", "needs Debian's prometheus: .ci/packages fetches it")
    done = subprocess.run([promtool, "check", "config", PROMETHEUS], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alertmanager_takes_its_configuration() -> None:
    amtool = require("amtool", "needs Debian's prometheus-alertmanager: .ci/packages fetches it")
    done = subprocess.run([amtool, "check-config", ALERTMANAGER], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_as_it_stands_alertmanager_tells_nobody_and_needs_no_secret() -> None:
    config = yaml.safe_load(ALERTMANAGER.read_text("utf-8"))
    assert set(receivers_of(config["route"])) == {"nobody"}
    nobody, *others = config["receivers"]
    assert nobody == {"name": "nobody"}
    assert {receiver["name"] for receiver in others} == {"pagerduty", "slack", "webhook"}


def receivers_of(route: dict[str, Any]) -> list[str]:
    below = [name for child in route.get("routes", []) for name in receivers_of(child)]
    return ([route["receiver"]] if "receiver" in route else []) + below


@pytest.mark.parametrize("receiver", ["pagerduty", "slack", "webhook"])
@pytest.mark.parametrize("mark", ["PAGES", "TICKETS"])
def test_a_receiver_is_switched_on_by_one_line(mark: str, receiver: str, tmp_path: Path) -> None:
    amtool = require("amtool", "needs Debian's prometheus-alertmanager: .ci/packages fetches it")
    text = ALERTMANAGER.read_text("utf-8")
    assert text.count(f"receiver: nobody  # <- {mark}\n") == 1
    changed = tmp_path / "alertmanager.yml"
    changed.write_text(text.replace(f"receiver: nobody  # <- {mark}", f"receiver: {receiver}"))
    severity = {"PAGES": "critical", "TICKETS": "warning"}[mark]
    for alertname in ("FactAmplified", "StreamSilent"):
        done = subprocess.run(
            [amtool, "config", "routes", "test", f"--config.file={changed}", f"alertname={alertname}",
             f"severity={severity}", "service=factwatch"], capture_output=True, text=True,
        )  # fmt: skip
        assert (done.returncode, done.stdout.strip()) == (0, receiver)


def test_secrets_of_receivers_are_files_in_the_directory_that_is_mounted() -> None:
    text = ALERTMANAGER.read_text("utf-8")
    files = re.findall(r"^ *-? ?\w+_file: (\S+)$", text, re.MULTILINE)
    assert len(files) == 3
    documented = (CHECKOUT / "docs" / "paging.md").read_text("utf-8")
    for file in files:
        directory, _, name = file.rpartition("/")
        assert directory == "/run/secrets/pager"
        assert name in documented
    assert not re.search(r"(routing_key|service_key|api_url|credentials|password): ", text)


def test_the_image_starts_from_a_pinned_one_and_runs_without_rights() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    base = re.search(r"^ARG BASE=(\S+)", DOCKERFILE, re.MULTILINE)
    assert base is not None
    assert PINNED.fullmatch(base[1])
    assert bases == ["${BASE}", "${BASE}"]
    user = re.search(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)
    assert user is not None, "a number: an orchestrator can't tell who a name is"
    assert int(user[1]) >= 10_000


def test_what_the_image_is_built_from_passes_the_ignore_file() -> None:
    ignore = (CHECKOUT / ".dockerignore").read_text("utf-8").split()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    assert "*" in ignore
    assert {f"!{source}" for source in sources} == {line for line in ignore if line.startswith("!")}
    assert all((CHECKOUT / source).exists() for source in sources)


def test_what_the_image_installs_is_pinned_to_what_pyproject_allows() -> None:
    lines = (CHECKOUT / "constraints.txt").read_text("utf-8").splitlines()
    pins = dict(line.lower().split("==") for line in lines if not line.startswith("#"))
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = re.search(r"\$\{wheel\}\[([a-z0-9,]+)\]", DOCKERFILE)
    assert extras is not None
    wanted = list(project["dependencies"])
    for extra in extras[1].split(","):
        wanted += project["optional-dependencies"][extra]
    for requirement in map(Requirement, wanted):
        name = requirement.name.lower().replace("_", "-")
        pin = pins.get(name, pins.get(name.replace("-", "_"), ""))
        assert requirement.specifier.contains(pin), requirement


class Answers(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.parametrize(("status", "well"), [(200, True), (503, False)])
def test_the_health_check_of_the_image_tells_well_from_ill(status: int, well: bool) -> None:
    check = re.search(r"^HEALTHCHECK .*\\\n\s*CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert check is not None
    handler = type("Handler", (Answers,), {"status": status})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        program, *arguments = json.loads(check[1])
        assert program == "python"
        port = str(server.server_address[1])
        command = [sys.executable, *(argument.replace("8080", port) for argument in arguments)]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            answered = subprocess.run(command, capture_output=True, timeout=30)
        finally:
            server.shutdown()
            thread.join()
    refused = subprocess.run(command, capture_output=True, timeout=30)
    assert (answered.returncode == 0) is well
    assert refused.returncode != 0
