"""A real PostgreSQL on loopback: Debian's package, a cluster of its own in a temporary directory.

`PostgresServer` is started, stopped, killed and started again on the same port and data. Postgres refuses
to run as root: there it runs as the package's user.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.ports import free_port

HOW = (
    "needs PostgreSQL: on Debian, as root: .ci/packages; or name a running one for tests only, whose user "
    "may make databases: FACTWATCH_TEST_POSTGRES=postgresql://USER:PASSWORD@HOST/NAME"
)
USER = "factwatch"
#: With what an address must have escaped, and a word that nothing else holds.
PASSWORD = "p%40ss:w/rd-Zauberwort"
PASSWORD_IN_URL = "p%2540ss%3Aw%2Frd-Zauberwort"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "16MB",
    "max_connections": "40",
}


def programs() -> Path | None:
    """The directory of `initdb` and `postgres`: the newest of Debian's, else the one on PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def installed() -> bool:
    return programs() is not None and (os.getuid() != 0 or _unprivileged() is not None)


class PostgresServer:
    """`url` names the database `factwatch` and its owner, by TCP with a password (scram). Its files are in
    `directory`, but for what is given a directory of its own: tables, or the write-ahead log."""

    def __init__(self, directory: Path, *, data: Path | None = None, wal: Path | None = None) -> None:
        bin_directory = programs()
        assert bin_directory is not None, HOW
        self._bin = bin_directory
        self._directory = directory
        self._wal = wal
        self.data = (data or directory) / "data"
        self.log = directory / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"postgresql://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{self.port}/postgres"

    def make(self) -> None:
        password = self._directory / "password"
        password.write_text(PASSWORD)
        if os.getuid() == 0:
            user = _unprivileged()
            assert user is not None, HOW
            for path in (self._directory, password, self.data.parent, *filter(None, [self._wal])):
                os.chown(path, user.pw_uid, user.pw_gid)
        wal = ["--waldir", str(self._wal / "wal")] if self._wal else []
        self._run("initdb", "--pgdata", str(self.data), "--username", USER, "--pwfile", str(password),
                  "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync",
                  "--wal-segsize", "1", *wal)  # fmt: skip

    def start(self, within_s: float = 30) -> None:
        """Returns when it takes connections; after a kill that is when it has recovered."""
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(self._bin / "postgres"), "-D", str(self.data), "-p", str(self.port), *settings],
                stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                cwd=self._directory, env=_environ(), preexec_fn=_become_unprivileged,
            )  # fmt: skip
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise RuntimeError(self.log.read_text()[-2_000:])
            if self._is_ready():
                return
            time.sleep(0.05)  # between two looks
        raise TimeoutError(self.log.read_text()[-2_000:])

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: connections are cut, what is committed is on disk."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def kill(self) -> None:
        """kill -9 of it and of every process it started: nothing of it gets to say a word."""
        assert self._process is not None
        pid = self._process.pid
        os.kill(pid, signal.SIGSTOP)  # so that it starts no others meanwhile
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for each in (pid, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        self._process.wait(30)
        self._process = None
        for child in children:  # their shared memory must be let go before another start
            while Path(f"/proc/{child}").exists() and _state(int(child)) not in ("Z", ""):
                time.sleep(0.01)

    def _is_ready(self) -> bool:
        answer = subprocess.run(
            [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
        )
        return answer.returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._bin / program), *arguments],
            capture_output=True, text=True, check=False,
            cwd=self._directory, env=_environ(), preexec_fn=_become_unprivileged,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")


@contextmanager
def running_postgres(**places: Path) -> Iterator[PostgresServer]:
    """In a directory below /tmp, which its user reaches: a test's own is closed to others."""
    directory = Path(tempfile.mkdtemp(prefix="factwatch-postgres-"))
    server = PostgresServer(directory, **places)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _unprivileged() -> pwd.struct_passwd | None:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


def _become_unprivileged() -> None:
    """In the child, before it becomes the program."""
    user = _unprivileged()
    if os.getuid() == 0 and user is not None:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)


def _environ() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ} | {
        "LC_ALL": "C"
    }


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""
