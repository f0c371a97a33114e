"""A real MediaWiki on loopback: Debian's package, on SQLite and PHP's own web server.

Anyone may edit; every recent change goes out as JSON over UDP (RCFeed, the body that EventStreams
wraps). Ask for the fixture `wiki`: the server starts once a test session, in about two seconds, and
tests share it, so each test uses titles of its own.
"""

from __future__ import annotations

import http.cookiejar
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.ports import free_ports

PROGRAM = Path("/usr/share/mediawiki")
PHP_MODULES = {"curl", "intl", "mbstring", "pdo_sqlite", "xml"}
HOW = "needs Debian's MediaWiki and PHP; as root: .ci/packages"

ADMIN = "Admin"
PASSWORD = "Adm1nPassw0rd-x"  # of every account here
WIKI_ID = "testwiki"

# Loopback counts as a proxy of the wiki's own, so that X-Forwarded-For tells who edits. Without
# patrolling, as on the English Wikipedia, a reverted edit is tagged whoever reverted it.
SETTINGS = """
$wgRCFeeds['json'] = [ 'formatter' => 'JSONRCFeedFormatter', 'uri' => 'udp://127.0.0.1:%(udp)d',
  'add_interwiki_prefix' => false, 'omit_bots' => false ];
$wgCdnServers = [ '127.0.0.1' ];
$wgUseRCPatrol = false;
$wgEnableEmail = false;
$wgMainCacheType = CACHE_NONE;
$wgRateLimits = [];
$wgAccountCreationThrottle = 0;
$wgPasswordAttemptThrottle = [];
$wgGroupPermissions['*']['edit'] = true;
$wgGroupPermissions['sysop']['deleterevision'] = true;
$wgShowExceptionDetails = true;
"""


class WikiError(Exception):
    """The API refused a call: its code and what it said."""


@dataclass(frozen=True)
class Revision:
    rev_id: int
    parent_id: int
    user: str
    comment: str
    text: str
    tags: tuple[str, ...]


class Session:
    """Somebody who edits: an account that is logged in, or an address without an account."""

    def __init__(self, api_url: str, address: str) -> None:
        self.api_url = api_url
        self.name = address
        self._forwarded_for = address
        self._token = ""
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),  # loopback only, whatever the environment says
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )

    def call(self, **params: object) -> dict[str, Any]:
        """POST to the Action API; a value of None is left out."""
        fields = {key: str(value) for key, value in params.items() if value is not None}
        body = urllib.parse.urlencode({**fields, "format": "json", "formatversion": "2"}).encode()
        request = urllib.request.Request(
            self.api_url, body, {"X-Forwarded-For": self._forwarded_for, "User-Agent": "factwatch-tests"}
        )
        with self._opener.open(request, timeout=60) as response:
            answer: dict[str, Any] = json.load(response)
        if "error" in answer:
            raise WikiError(f"{answer['error']['code']}: {answer['error']['info']}")
        return answer

    def act(self, **params: object) -> dict[str, Any]:
        """A call that changes something, with the token that this wants."""
        if not self._token:
            self._token = self.token("csrf")
        return self.call(token=self._token, **params)

    def token(self, kind: str) -> str:
        tokens = self.call(action="query", meta="tokens", type=kind)["query"]["tokens"]
        return str(tokens[f"{kind}token"])

    def log_in(self, name: str, password: str) -> None:
        answer = self.call(
            action="clientlogin",
            username=name,
            password=password,
            loginreturnurl=self.api_url,
            logintoken=self.token("login"),
        )["clientlogin"]
        if answer["status"] != "PASS":
            raise WikiError(f"login of {name}: {answer.get('message', answer)}")
        self.name = name
        self._token = ""


class Wiki:
    """What tests do on the wiki. `by` is who does it: an address for an edit without an account, or
    what `login` and `create_user` return. Titles are best given in MediaWiki's form ("First letter
    large"). Calls that edit return the new revision's id."""

    def __init__(self, url: str, rcfeed_port: int, local_settings: Path) -> None:
        self.url = url
        self.api_url = f"{url}/api.php"
        self.host = url.removeprefix("http://")
        self.rcfeed_port = rcfeed_port
        self._local_settings = local_settings
        self._addresses: dict[str, Session] = {}
        self._admin: Session | None = None

    @property
    def admin(self) -> Session:
        self._admin = self._admin or self.login(ADMIN)
        return self._admin

    def login(self, name: str, password: str = PASSWORD) -> Session:
        session = Session(self.api_url, "198.51.100.254")
        session.log_in(name, password)
        return session

    def create_user(self, name: str) -> Session:
        """A new account, logged in."""
        session = Session(self.api_url, "198.51.100.254")
        answer = session.call(
            action="createaccount",
            username=name,
            password=PASSWORD,
            retype=PASSWORD,
            createreturnurl=self.api_url,
            createtoken=session.token("createaccount"),
        )["createaccount"]
        if answer["status"] != "PASS":
            raise WikiError(f"account {name}: {answer.get('message', answer)}")
        return self.login(name)

    def edit(
        self, title: str, text: str, summary: str = "", *, by: Session | str = "198.51.100.1"
    ) -> int:
        answer = self._session(by).act(action="edit", title=title, text=text, summary=summary)
        return self._new_revision(answer["edit"])

    def undo(
        self, title: str, rev_id: int, summary: str | None = None, *, by: Session | str = "198.51.100.2"
    ) -> int:
        answer = self._session(by).act(action="edit", title=title, undo=rev_id, summary=summary)
        return self._new_revision(answer["edit"])

    def rollback(self, title: str, user: str, *, by: Session | None = None) -> int:
        """Takes back all of `user`'s edits at the top of the page; only administrators may."""
        session = by or self.admin
        answer = session.call(action="rollback", title=title, user=user, token=session.token("rollback"))
        return int(answer["rollback"]["revid"])

    def protect(self, title: str, level: str = "sysop", *, by: Session | None = None) -> None:
        """Only `level` may edit from now on; "all" lifts it."""
        (by or self.admin).act(action="protect", title=title, protections=f"edit={level}", reason="test")

    def move(self, title: str, new_title: str, *, by: Session | None = None) -> None:
        (by or self.admin).act(action="move", **{"from": title, "to": new_title, "reason": "test"})

    def hide_text(self, rev_id: int, *, by: Session | None = None) -> None:
        (by or self.admin).act(action="revisiondelete", type="revision", ids=rev_id, hide="content")

    def run_jobs(self) -> None:
        """Works off what the wiki put off: only then is a reverted edit tagged `mw-reverted`."""
        subprocess.run(
            ["php", str(PROGRAM / "maintenance/runJobs.php")],
            env=_environment(self._local_settings),
            capture_output=True,
            check=True,
        )

    def text(self, title: str) -> str:
        return self.revisions(title)[-1].text

    def revisions(self, title: str) -> list[Revision]:
        """The page's revisions, oldest first (at most 50)."""
        answer = self._session("198.51.100.3").call(
            action="query",
            prop="revisions",
            titles=title,
            rvprop="ids|user|comment|tags|content",
            rvslots="main",
            rvdir="newer",
            rvlimit=50,
        )
        return [
            Revision(
                rev_id=found["revid"],
                parent_id=found["parentid"],
                user=found.get("user", ""),
                comment=found.get("comment", ""),
                text=found["slots"]["main"].get("content", ""),
                tags=tuple(found["tags"]),
            )
            for found in answer["query"]["pages"][0].get("revisions", [])
        ]

    @contextmanager
    def feed(self) -> Iterator[Feed]:
        """Listens where the wiki sends its recent changes. One listener at a time: close it before
        the program under test takes the port."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
            listener.bind(("127.0.0.1", self.rcfeed_port))
            yield Feed(listener)

    def _session(self, by: Session | str) -> Session:
        if isinstance(by, Session):
            return by
        if by not in self._addresses:
            self._addresses[by] = Session(self.api_url, by)
        return self._addresses[by]

    @staticmethod
    def _new_revision(answer: dict[str, Any]) -> int:
        if "newrevid" not in answer:
            raise WikiError(f"not a new revision: {answer}")
        return int(answer["newrevid"])


class Feed:
    """Recent changes as they came, one datagram each."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener

    def until(
        self, wanted: Callable[[dict[str, Any]], bool], within_s: float = 20
    ) -> list[dict[str, Any]]:
        """Every change up to and with the first `wanted` one. Raises TimeoutError without it."""
        changes: list[dict[str, Any]] = []
        deadline = time.monotonic() + within_s
        while not changes or not wanted(changes[-1]):
            self._listener.settimeout(max(0.001, deadline - time.monotonic()))
            changes.append(json.loads(self._listener.recv(65_536)))
        return changes


def installed() -> bool:
    """Whether this machine has what the wiki needs."""
    if shutil.which("php") is None or not (PROGRAM / "api.php").exists():
        return False
    listed = subprocess.run(["php", "-m"], capture_output=True, text=True, check=False).stdout
    return PHP_MODULES.issubset(listed.lower().split())


@contextmanager
def running_wiki(directory: Path) -> Iterator[Wiki]:
    """Installs a wiki into `directory` (its data and settings: Debian's program files stay where they
    are), serves it on a free port and stops it, with all its processes, at the end."""
    port, udp_port = free_ports(2)
    url = f"http://127.0.0.1:{port}"
    data = directory / "data"
    data.mkdir()
    install = ["php", str(PROGRAM / "maintenance/install.php"), "--dbtype", "sqlite"]
    install += ["--dbpath", str(data), "--dbname", WIKI_ID, "--confpath", str(directory)]
    install += ["--server", url, "--scriptpath", "", "--pass", PASSWORD, "TestWiki", ADMIN]
    done = subprocess.run(install, capture_output=True, text=True, check=False, cwd=directory)
    local_settings = directory / "LocalSettings.php"
    if done.returncode != 0 or not local_settings.exists():
        raise RuntimeError(f"MediaWiki could not be installed:\n{done.stdout}\n{done.stderr}")
    with local_settings.open("a") as file:
        file.write(SETTINGS % {"udp": udp_port})

    log = directory / "php.log"
    serve = ["php", "-d", "opcache.enable_cli=1", "-S", f"127.0.0.1:{port}", "-t", str(PROGRAM)]
    with log.open("wb") as output:
        server = subprocess.Popen(
            serve,
            env=_environment(local_settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group of its own: the workers stop with it
        )
    try:
        _wait_until_serving(server, f"{url}/api.php?action=query&meta=siteinfo&format=json", log)
        yield Wiki(url, udp_port, local_settings)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _environment(local_settings: Path) -> dict[str, str]:
    return {**os.environ, "MW_CONFIG_FILE": str(local_settings), "PHP_CLI_SERVER_WORKERS": "4"}


def _wait_until_serving(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 60
    while True:
        try:
            with opener.open(url, timeout=30) as response:
                json.load(response)
            return
        except (OSError, ValueError) as err:  # refused while it starts; a PHP error is no JSON
            if _ended_within(server, 0.05) or time.monotonic() > deadline:
                raise RuntimeError(f"MediaWiki does not answer: {err}\n{log.read_text()}") from err


def _ended_within(server: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        server.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
