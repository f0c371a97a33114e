"""`factwatch check`: a text held against the facts that are contested or were just changed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO

import click

from streams.cli.named_files import ReadFile
from streams.cli.output import print_json
from streams.cli.places import store_path
from streams.errors import BadInput
from streams.settings import load_settings
from streams.web.check import MAX_BODY_BYTES

#: Exit code: a statement states a vandalised or contested value.
NOT_TO_BE_QUOTED = 10


@click.command(short_help="Hold a text, such as an answer of a model, against the hot facts.")
@click.argument("text", required=False)
@click.option(
    "--file",
    type=ReadFile(or_stdin=True),
    help="Read the text from here; - is stdin, which is also read where no text is given.",
)
@click.option("--language", help="BCP 47 tag of the text, where it is known.")
@click.option(
    "--state",
    type=ReadFile(),
    help="A state file other than that of `factwatch run`.",
)
@click.option("--url", help="Ask a running API instead, such as http://127.0.0.1:8080.")
@click.option(
    "--token-file",
    type=ReadFile(),
    help="With --url: a file that holds a token with scope `read`.",
)
@click.option(
    "--top",
    type=click.IntRange(0, 256),
    default=3,
    show_default=True,
    help="Of the statements that nothing is known of show so many, the check-worthiest.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def check(
    text: str | None,
    file: Path | None,
    language: str | None,
    state: Path | None,
    url: str | None,
    token_file: Path | None,
    top: int,
    as_json: bool,
) -> None:
    """Split TEXT into statements and tell of each the facts it relies on that are contested or were just
    changed, which value it states, and the last good revision to cite. What nothing is known of need not
    be true.

    Facts are those that `factwatch run` keeps in its state file, which it may go on writing; or those of
    the program at --url.

    Exit code 10 if a statement states a vandalised or contested value, 0 if none does: then the text may
    still want care, see `quotable` with --json.
    """
    if text is not None and file is not None:
        raise click.UsageError("give either TEXT or --file, not both")
    if url is not None and state is not None:
        raise click.UsageError("give either --state or --url, not both")
    if token_file is not None and url is None:
        raise click.UsageError("--token-file goes with --url")
    asked = _text(text, file)
    if url is not None:
        from streams.cli.check_remote import check_at

        answer = check_at(url, asked, language, token_file)
    else:
        from streams.cli.check_local import check_in

        answer = check_in(state or store_path(load_settings(os.environ)), asked, language)
    from streams.cli.check_lines import answer_lines
    from streams.matching.answer_findings import Quotable

    if as_json:
        print_json(answer)
    else:
        click.echo("\n".join(answer_lines(answer, top)))
    if answer.quotable is Quotable.NO:
        sys.exit(NOT_TO_BE_QUOTED)


def _text(text: str | None, file: Path | None) -> str:
    """Raises `BadInput` where it is no text."""
    if text is not None and text != "-":
        return _checked("TEXT", text.encode("utf-8", "surrogateescape"))
    if file is not None and str(file) != "-":
        try:
            with file.open("rb") as opened:
                return _checked(str(file), _some(opened))
        except OSError as err:
            raise BadInput(f"{file}: {err.strerror}") from None
    stdin = sys.stdin.buffer
    if stdin.isatty():
        raise click.UsageError("give TEXT, --file FILE, or a text on stdin")
    return _checked("stdin", _some(stdin))


def _some(opened: BinaryIO) -> bytes:
    """One byte more than may be checked is enough to refuse it."""
    return opened.read(MAX_BODY_BYTES + 1)


def _checked(name: str, raw: bytes) -> str:
    if len(raw) > MAX_BODY_BYTES:
        raise BadInput(f"{name}: more than {MAX_BODY_BYTES:,} bytes: check it in parts")
    try:
        text = raw.decode()
    except UnicodeDecodeError as err:
        raise BadInput(
            f"{name}: not UTF-8 ({err.reason} at byte {err.start:,}); `iconv -t UTF-8` converts it"
        ) from None
    if not text.strip():
        raise BadInput(f"{name}: empty, there is nothing to check")
    return text
