"""The page that compares a candidate with the model in force: one HTML file that loads nothing.

Takes figures, what both models read and the pictures of the held-back corrections; gives HTML. Decides nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

# More rows of a kind show nothing new, and pictures make the page heavy.
_MOST_ROWS = 200

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1c2024;background:#fff}
table{border-collapse:collapse;width:100%;margin:1rem 0}
th,td{border-bottom:1px solid #d5d9de;padding:.4rem .6rem;text-align:left;vertical-align:middle}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
img{max-height:2.5rem;max-width:24rem}
.better{color:#0a6b2d}.worse{color:#a31515}.note{padding:.6rem 1rem;border-left:4px solid}
@media (prefers-color-scheme:dark){body{color:#e6e8ea;background:#16191c}th,td{border-color:#3a4046}
.better{color:#5fd08a}.worse{color:#ff8b8b}img{background:#fff}}
"""


def page(told: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], pictures: Sequence[bytes]) -> str:
    """Give the page: `told` as the manifest has it, `rows` of lines, `pictures` of the held-back corrections."""
    gained = [row for row in rows if row["candidate_right"] and not row["current_right"]]
    lost = [row for row in rows if row["current_right"] and not row["candidate_right"]]
    wrong = [row for row in rows if not row["current_right"] and not row["candidate_right"]]
    parts = [
        "<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f'<meta http-equiv=Content-Security-Policy content="{_POLICY}">',
        f"<title>shizi: a model compared</title><style>{_STYLE}</style>",
        f"<h1>A candidate, and {escape(told['parent'])}</h1>",
        f"<p>Tuned from <b>{escape(told['parent'])}</b> on {told['learned']} corrected lines ({told['reach']:.0%} of "
        f"the way, {told['cpu_minutes']} minutes of processor time); {told['held']} lines were held back.</p>",
        _verdict(told["refusals"]),
        _figures(told["figures"]),
        _rows("Read right by the candidate alone", gained, pictures),
        _rows("Read right by the model in force alone", lost, pictures),
        _rows("Held-back corrections that neither reads right", wrong, pictures),
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _verdict(refusals: Sequence[str]) -> str:
    if not refusals:
        return "<p class='note better'>It gains on the corrections and loses nothing elsewhere: it may be promoted.</p>"
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in refusals)
    return f"<div class='note worse'>It may not be promoted:<ul>{reasons}</ul></div>"


def _figures(sets: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    heading = (
        "<tr><th>lines<th class=n>how many<th class=n>right, in force<th class=n>right, candidate"
        "<th class=n>points (95 % interval)<th class=n>CER, in force<th class=n>CER, candidate"
        "<th class=n>ms a line, both</tr>"
    )
    rows = []
    for name, figures in sets.items():
        before, after = figures["current"], figures["candidate"]
        points = 100 * (after["exact"] - before["exact"])
        kind = "better" if points > 0 else "worse" if points < 0 else ""
        cells = [
            f"{round(before['lines'])}", f"{before['exact']:.1%}", f"{after['exact']:.1%}",
            f"<span class='{kind}'>{points:+.1f}</span>{_interval(figures)}",
            f"{before['cer']:.2%}", f"{after['cer']:.2%}", f"{before['ms']:g}, {after['ms']:g}",
        ]  # fmt: skip
        rows.append(f"<tr><th>{escape(name)}{''.join(f'<td class=n>{cell}' for cell in cells)}</tr>")
    return f"<table>{heading}{''.join(rows)}</table>"


def _interval(figures: Mapping[str, Mapping[str, float]]) -> str:
    gain = figures.get("gain")
    return f" ({100 * gain['lowest']:+.1f} to {100 * gain['highest']:+.1f})" if gain else ""


def _rows(title: str, rows: Sequence[Mapping[str, Any]], pictures: Sequence[bytes]) -> str:
    if not rows:
        return ""
    more = f" (the first {_MOST_ROWS})" if len(rows) > _MOST_ROWS else ""
    body = "".join(
        f"<tr><td>{_picture(row, pictures)}<td>{escape(row['text'])}<td>{escape(row['current'])}"
        f"<td>{escape(row['candidate'])}</tr>"
        for row in rows[:_MOST_ROWS]
    )
    heading = "<tr><th>line<th>says<th>read in force<th>read by the candidate</tr>"
    return f"<h2>{escape(title)}: {len(rows)}{more}</h2><table>{heading}{body}</table>"


def _picture(row: Mapping[str, Any], pictures: Sequence[bytes]) -> str:
    """Show a correction's picture; drawn lines are named by set and number, and can be drawn again."""
    if row["set"] != "corrections":
        return f"{escape(row['set'])} {row['number']}"
    data = base64.b64encode(pictures[row["number"]]).decode()
    return f"<img alt='' src='data:image/png;base64,{data}'>"
