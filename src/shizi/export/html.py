"""HTML: one page that stands alone, with headings, paragraphs, lists, tables and fields in reading order.

Takes a document, gives UTF-8 bytes. Everything read is escaped, nothing is loaded from anywhere, and a policy in the
page forbids scripts, so that it can be opened wherever it came from.
"""

import re
from html import escape

from shizi.document import Document, Page
from shizi.export import field_rows, grid
from shizi.export.flow import Heading, Paragraph, Part, flow
from shizi.export.lists import Listing
from shizi.export.printable import printable

_STYLE = (
    "body{font:16px/1.6 system-ui,'Noto Sans CJK SC','Microsoft YaHei','PingFang SC',sans-serif;max-width:52rem;"
    "margin:2rem auto;padding:0 1rem;color:#212529;overflow-wrap:anywhere}"
    "section+section{border-top:1px solid #adb5bd;margin-top:2rem;padding-top:1rem}"
    "ul.marked{list-style:none;padding-left:1em}"
    "aside{color:#6c757d;font-size:.85em}"
    "section{overflow-x:auto}"  # a wide table is moved aside by itself, and breaks no word
    "table{border-collapse:collapse;margin:1rem 0;overflow-wrap:normal}td,th{border:1px solid #adb5bd;"
    "padding:.25rem .5rem;vertical-align:top;text-align:start}th{background:#f1f3f5}#fields table{font-size:.8em}"
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def write(document: Document) -> bytes:
    """Write the page; a section for each page of the document."""
    document = printable(document)
    chinese = re.search("[\u4e00-\u9fff]", document.text) is not None
    title = next((row for page in document.pages for row in page.text.split("\n") if row.strip()), "shizi")
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="{"zh-CN" if chinese else "en"}">',
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>{escape(title[:100])}</title><style>{_STYLE}</style></head>",
        "<body><main>",
        *_fields(document),
        *(row for page in document.pages for row in _page(page)),
        "</main></body>",
        "</html>",
    ]
    return ("\n".join(parts) + "\n").encode()


def _page(page: Page) -> list[str]:
    return [f'<section id="page-{page.number}">', *filter(None, map(_part, flow(page))), "</section>"]


def _part(part: Part) -> str:
    if isinstance(part, Heading):
        return f'<h{part.level} dir="auto">{escape(part.text)}</h{part.level}>'
    if isinstance(part, Paragraph):
        text = f'<p dir="auto">{"<br>".join(map(escape, part.rows))}</p>'
        return f"<aside>{text}</aside>" if part.furniture else text
    if isinstance(part, Listing):
        items = "".join(f'<li dir="auto">{escape(item)}</li>' for item in part.items)
        if part.kind == "numbers":
            return f'<ol start="{part.start}">{items}</ol>'
        return f"<ul>{items}</ul>" if part.kind == "bullets" else f'<ul class="marked">{items}</ul>'
    return grid.html(part)


def _fields(document: Document) -> list[str]:
    if not document.fields:
        return []
    verdict = document.verdict
    heading = "".join(f"<th>{name}</th>" for name in field_rows.HEADING)
    rows = ("".join(f"<td>{escape(str(value))}</td>" for value in row) for row in field_rows.all_rows(document))
    reasons = (
        f"<p>{escape(': '.join((verdict.decision, ', '.join(verdict.reasons))).rstrip(': '))}</p>" if verdict else ""
    )
    return [
        f'<section id="fields">{reasons}<table><thead><tr>{heading}</tr></thead>',
        "<tbody>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</tbody></table></section>",
    ]
