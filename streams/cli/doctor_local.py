"""What `factwatch doctor` looks at on this machine."""

from __future__ import annotations

import errno
import os
import shutil
import socket
from pathlib import Path

import urllib3

from streams.cli.doctor_check import Trouble
from streams.cli.places import store_path
from streams.settings import Settings
from streams.store.sqlite import SCHEMA_VERSION, SqliteStore
from streams.web.tokens import load_tokens

#: What /healthz of a factwatch says.
HEALTHY = b'{"alive":true}'
#: State grows by about 1 GB a month for enwiki.
LEAST_FREE_BYTES = 2 << 30


def model(settings: Settings) -> str:
    """Loading compares the file with its manifest, or raises."""
    from streams.cli.compose import load_model  # heavy

    found = load_model(settings)
    return (
        f"{found.version}, {len(found.feature_names)} features, sha256 {found.manifest.model_sha256[:12]}…"
        " as its manifest says"
    )


def state(settings: Settings) -> str:
    path = store_path(settings)
    if not path.exists():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        if not os.access(settings.data_dir, os.W_OK):
            raise Trouble(f"{settings.data_dir} can't be written: set FACTWATCH_DATA_DIR")
        return f"{path} (none yet; made at the first run, schema {SCHEMA_VERSION})"
    store = SqliteStore(path, read_only=True)
    try:
        found = store.query("PRAGMA quick_check(1)")
        if found != [("ok",)]:
            raise Trouble(f"{path} is damaged ({found[0][0]}): restore it from a backup, or remove it")
        seq = store.last_seq()
        dead = store.query("SELECT count(*) FROM dead_letters")[0][0]
    finally:
        store.close()
    return f"{path}: {path.stat().st_size / 1e6:,.0f} MB, {seq:,} alert changes, {dead:,} dead letters"


def disk(settings: Settings) -> str:
    directory = settings.data_dir
    while not directory.exists():
        directory = directory.parent
    free = shutil.disk_usage(directory).free
    if free < LEAST_FREE_BYTES:
        raise Trouble(
            f"{free / 1e9:.1f} GB free at {directory}, under 2 GB: free some, or move FACTWATCH_DATA_DIR"
        )
    return f"{free / 1e9:,.0f} GB free at {directory}"


def page(settings: Settings) -> str:
    host, _, port = settings.http_bind.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as err:
            if err.errno == errno.EADDRINUSE and _is_ours(host.strip("[]"), int(port)):
                return f"http://{settings.http_bind}/ is answered by a factwatch that runs already"
            raise Trouble(
                f"{settings.http_bind}: {err.strerror}: end what is there, or set FACTWATCH_HTTP_BIND"
            ) from None
    return f"http://{settings.http_bind}/ is free"


def _is_ours(host: str, port: int) -> bool:
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - asked, not bound
    pool = urllib3.HTTPConnectionPool(here, port, retries=False, timeout=1.0)
    try:
        answer = pool.request("GET", "/healthz", preload_content=False)
        return answer.status == 200 and answer.read(64) == HEALTHY
    except urllib3.exceptions.HTTPError:
        return False
    finally:
        pool.close()


def tokens(settings: Settings) -> str:
    if not settings.api_tokens_file:
        return "none set: whoever reaches the page may read it"
    load_tokens(Path(settings.api_tokens_file))
    return f"{settings.api_tokens_file} is read"
