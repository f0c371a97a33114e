"""MediaWiki XML exports made for tests."""

from __future__ import annotations

from html import escape

NEWEST = "0.11"


def export(*pages: str, version: str = NEWEST, siteinfo: str | None = None) -> str:
    if siteinfo is None:
        siteinfo = (
            "<siteinfo><sitename>Wikipedia</sitename><dbname>enwiki</dbname>"
            "<base>https://en.wikipedia.org/wiki/Main_Page</base><namespaces>"
            '<namespace key="0" case="first-letter" /><namespace key="1">Talk</namespace>'
            '<namespace key="4">Wikipedia</namespace></namespaces></siteinfo>'
        )
    return (
        f'<mediawiki xmlns="http://www.mediawiki.org/xml/export-{version}/" version="{version}" '
        f'xml:lang="en">\n  {siteinfo}\n' + "\n".join(pages) + "\n</mediawiki>\n"
    )


def page(title: str, *revisions: str, namespace: int | None = 0, page_id: int = 7) -> str:
    ns = "" if namespace is None else f"<ns>{namespace}</ns>"
    head = f"  <page>\n    <title>{escape(title)}</title>\n    {ns}\n    <id>{page_id}</id>\n"
    return head + "\n".join(revisions) + "\n  </page>"


def revision(
    rev_id: int,
    text: str | None = "",
    *,
    parent: int | None = None,
    time: str = "2020-01-02T03:04:05Z",
    who: str = "<username>Ann</username><id>5</id>",
    comment: str | None = "typo",
    more: str = "",
    text_attributes: str = 'xml:space="preserve"',
) -> str:
    parts = [f"<id>{rev_id}</id>"]
    if parent is not None:
        parts.append(f"<parentid>{parent}</parentid>")
    parts.append(f"<timestamp>{time}</timestamp>")
    parts.append(who if who.startswith("<contributor") else f"<contributor>{who}</contributor>")
    if more:
        parts.append(more)
    if comment is not None:
        parts.append(f"<comment>{escape(comment)}</comment>")
    body = "" if text is None else escape(text, quote=False)
    parts.append(f"<text {text_attributes}>{body}</text>" if body else f"<text {text_attributes} />")
    return "    <revision>\n      " + "\n      ".join(parts) + "\n    </revision>"
