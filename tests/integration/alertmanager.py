"""A real Alertmanager on loopback, Debian's, with the configuration that ships, and who it tells.

`AlertmanagerServer` is started, stopped, killed and started again on the same port and data. `shipped_config`
is `grafana/alertmanager/alertmanager.yml` with other receivers, in other places and quicker; what is grouped,
routed and inhibited is as it ships.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import CHECKOUT
from tests.integration.ports import free_port
from tests.requirements import require, require_or_skip

HOW = "needs Debian's prometheus-alertmanager: .ci/packages fetches it"
#: Where Debian's looks for it, wherever it is itself.
TEMPLATE = Path("/usr/share/prometheus/alertmanager/default.tmpl")
SHIPPED = CHECKOUT / "grafana" / "alertmanager" / "alertmanager.yml"
#: In place of the 30 s and 5 min that ship.
GROUP_WAIT, GROUP_INTERVAL = "500ms", "1s"


class AlertmanagerServer:
    """`url` is its base address."""

    def __init__(self, directory: Path, config: dict[str, Any]) -> None:
        self._program = require("prometheus-alertmanager", HOW)
        require_or_skip(TEMPLATE.exists(), f"{HOW}, and its {TEMPLATE}")
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self.log = directory / "alertmanager.log"
        self._config = directory / "alertmanager.yml"
        self._config.write_text(yaml.safe_dump(config))
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self, within_s: float = 30) -> None:
        """Returns when it takes alerts."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [self._program, f"--config.file={self._config}",
                 f"--storage.path={self._directory / 'data'}",
                 f"--web.listen-address=127.0.0.1:{self._port}", "--cluster.listen-address=",
                 "--log.level=debug"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            assert self._process.poll() is None, self.log.read_text()[-3_000:]
            with contextlib.suppress(OSError):
                self._get("/-/ready")
                return
            time.sleep(0.05)  # between two looks
        raise TimeoutError(self.log.read_text()[-3_000:])

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(15)
            self._process = None

    def alerts(self) -> list[dict[str, Any]]:
        """Those that fire, inhibited ones too."""
        found: list[dict[str, Any]] = json.loads(self._get("/api/v2/alerts"))
        return found

    def post(self, *alerts: dict[str, Any]) -> None:
        """As any other client of it would."""
        request = urllib.request.Request(
            f"{self.url}/api/v2/alerts",
            json.dumps(alerts).encode(),
            {"Content-Type": "application/json"},
        )
        with _opener().open(request, timeout=10):
            pass

    def _get(self, path: str) -> bytes:
        with _opener().open(f"{self.url}{path}", timeout=10) as answer:
            body: bytes = answer.read()
            return body


@contextmanager
def running_alertmanager(directory: Path, config: dict[str, Any]) -> Iterator[AlertmanagerServer]:
    server = AlertmanagerServer(directory, config)
    try:
        server.start()
        yield server
    finally:
        server.stop()


class Notified:
    """Who is told: keeps every request, its path and its body."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.raw: list[bytes] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                outer.raw.append(raw)
                outer.requests.append((self.path, dict(self.headers.items()), json.loads(raw)))
                answer = b'{"status":"success"}'
                self.send_response(202)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def of(self, path: str) -> list[Any]:
        """Bodies that came there, in order."""
        return [body for at, _, body in list(self.requests) if at == path]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def shipped_config(told: Notified, secrets: Path, pages: str, tickets: str) -> dict[str, Any]:
    """`pages` and `tickets` name receivers. Secrets are files in `secrets`, made here."""
    secrets.mkdir(parents=True, exist_ok=True)
    (secrets / "pagerduty_routing_key").write_text("R0UT1NGKEY0123456789012345678901\n")
    (secrets / "slack_webhook_url").write_text(f"{told.url}/slack\n")
    (secrets / "webhook_token").write_text("a token\n")
    text = SHIPPED.read_text("utf-8").replace("/run/secrets/pager", str(secrets))
    text = text.replace("receiver: nobody  # <- PAGES", f"receiver: {pages}")
    text = text.replace("receiver: nobody  # <- TICKETS", f"receiver: {tickets}")
    config: dict[str, Any] = yaml.safe_load(text)
    config["route"] |= {"group_wait": GROUP_WAIT, "group_interval": GROUP_INTERVAL}
    for receiver in config["receivers"]:
        for pagerduty in receiver.get("pagerduty_configs", []):
            pagerduty["url"] = f"{told.url}/pagerduty"
        for webhook in receiver.get("webhook_configs", []):
            webhook["url"] = f"{told.url}/webhook"
    return config


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
