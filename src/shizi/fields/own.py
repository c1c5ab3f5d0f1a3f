"""Own: the fields of a page that a template describes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shizi.document import Check, Verdict
from shizi.fields.found import Form, Found
from shizi.fields.labels import COLONS, Label, find_labels
from shizi.fields.pieces import SAME_ROW, Piece, Sheet
from shizi.fields.sight import Sight
from shizi.fields.template import Template, Wanted
from shizi.fields.values import clock, day, folded, is_older_tax_id, is_real_day, is_tax_id, money, number

# A constrained reading is taken when it is at least this likely; below it the text stays as read, its check failed.
LIKELY = 0.2
_NORMAL: dict[str, Callable[[str], str]] = {
    "digits": lambda text: "".join(folded(text).split()) if folded(text).isdigit() else "",
    "number": lambda text: str(value) if (value := number(text)) is not None else "",
    "money": money,
    "date": day,
    "time": clock,
    "tax_id": lambda text: folded(text).upper(),
}


def fits_page(template: Template, sheet: Sheet) -> bool:
    """Say whether all words that tell the form stand on the page."""
    words = "".join(piece.folded for piece in sheet.pieces)
    return all(folded(word) in words for word in template.match)


def read_own(sheet: Sheet, template: Template, sight: Sight | None) -> Form:
    """Find the template's fields on a page, each with the checks of its own."""
    form = Form(template.name)
    for wanted in template.fields:
        found = _found(sheet, wanted)
        if found is not None:
            form.values[wanted.name] = _typed(wanted, _constrained(wanted, found, sight))
    values = {name: value for name, f in form.values.items() if (value := number(f.value)) is not None}
    for equation in template.checks:
        if all(name in values for name in equation.names):
            told = ", ".join(f"{name} = {values[name]}" for name in equation.names)
            check = Check(equation.text, equation.holds(values), told)
            for name in equation.names:
                form.values[name] = form.values[name].checked(check)
    return form


def judged(template: Template, form: Form) -> Verdict:
    """Give the verdict: every required field is there, every check made passed, every equation could be made."""
    reasons = [f"{w.name} was not found" for w in template.fields if w.required and not form.value(w.name)]
    for name, found in form.values.items():
        reasons += [f"{name}: {check.name} failed: {check.detail}" for check in found.checks if not check.passed]
    for equation in template.checks:
        missing = [name for name in equation.names if number(form.value(name)) is None]
        reasons += [f"{equation.text}: {', '.join(missing)} has no number"] if missing else []
    return Verdict("review" if reasons else "accept", tuple(dict.fromkeys(reasons)))


def _found(sheet: Sheet, wanted: Wanted) -> Found | None:
    if wanted.region is not None:
        left, top, right, bottom = wanted.region
        page = sheet.page
        return _inside(sheet, left * page.width, top * page.height, right * page.width, bottom * page.height)
    anchor = _anchor(sheet, wanted)
    if anchor is None:
        return None
    words = anchor.piece.cut(anchor.start, anchor.end).place
    if wanted.area is not None:
        x, y, _, _ = words.bounds
        left, top, right, bottom = (side * words.height for side in wanted.area)
        return _inside(sheet, x + left, y + top, x + right, y + bottom)
    if wanted.where == "right":
        own = anchor.piece.cut(anchor.end)
        if own.glyphs:
            return _whole(own)
    return _whole(near) if (near := _nearest(sheet, anchor, wanted)) else None


def _whole(piece: Piece) -> Found:
    text = piece.text.strip(" " + COLONS)
    return Found(text, text, piece)


def _anchor(sheet: Sheet, wanted: Wanted) -> Label | None:
    words = tuple(folded(word) for word in wanted.anchors)
    found = find_labels(sheet.pieces, {"!" + wanted.name: words})
    exact = [label for label in found if label.marked] or found
    nearly = find_labels(sheet.pieces, {wanted.name: words}) if not exact else []
    return next(iter(exact or nearly), None)


def _nearest(sheet: Sheet, anchor: Label, wanted: Wanted) -> Piece | None:
    """Find the piece nearest to the anchor on the side wanted."""
    words = anchor.piece.cut(anchor.start, anchor.end).place
    left, top, right, bottom = words.bounds
    size, row = words.height, sheet.row_of(anchor.piece)
    best: tuple[float, Piece] | None = None
    for piece in sheet.pieces:
        for cell in piece.cells() if not piece.vertical and piece.line != anchor.piece.line else ():
            x0, y0, x1, y1 = cell.place.bounds
            on_row = abs(sheet.row_of(cell) - row) < SAME_ROW * max(size, cell.polygon.height)
            over = min(x1, right) - max(x0, left) > 0
            gap = {
                "right": x0 - right if on_row else None,
                "left": left - x1 if on_row else None,
                "below": y0 - bottom if over else None,
                "above": top - y1 if over else None,
            }[wanted.where]
            if gap is not None and -0.8 * size < gap < wanted.reach * size and (best is None or gap < best[0]):
                starts = wanted.where == "right" and cell.glyphs[0] is piece.glyphs[0]
                best = gap, piece if starts else cell  # to the right a value may have spaces, in a column it has none
    return best[1] if best else None


def _inside(sheet: Sheet, left: float, top: float, right: float, bottom: float) -> Found | None:
    """Take the pieces whose middles lie inside a rectangle, row by row."""
    inside = []
    for piece in sheet.pieces:
        for cell in piece.cells():
            x, y = cell.place.centre
            if left <= x <= right and top <= y <= bottom:
                inside.append(cell)
    if not inside:
        return None
    rows: list[list[Piece]] = []
    for cell in sorted(inside, key=sheet.row_of):
        if rows and sheet.row_of(cell) - sheet.row_of(rows[-1][0]) < SAME_ROW * cell.place.height:
            rows[-1].append(cell)
        else:
            rows.append([cell])
    ordered = [sorted(row, key=lambda cell: cell.place.bounds[0]) for row in rows]
    text = "\n".join(" ".join(cell.text for cell in row) for row in ordered)
    cells = [cell for row in ordered for cell in row]
    return Found(text, text, cells[0], rest=tuple(cells[1:]))


def _constrained(wanted: Wanted, found: Found, sight: Sight | None) -> Found:
    """Read a value again within its pattern, and say whether it fits."""
    if wanted.pattern is None:
        return found
    plain = folded(found.text)
    if not wanted.pattern.matches(found.text) and wanted.pattern.matches(plain):
        found = replace(found, value=plain)
    fits = wanted.pattern.matches(found.value)
    if not fits and sight is not None and found.piece is not None and not found.rest and found.piece.glyphs:
        best = next(iter(sight.alternatives(found.piece, wanted.pattern)), None)
        if best is not None and best.probability >= LIKELY:
            found = replace(found, value=best.text, text=best.text, repaired=found.text)
            fits = True
    return found.checked(Check("pattern", fits, wanted.pattern.text))


def _typed(wanted: Wanted, found: Found) -> Found:
    """Bring a value to the normal form of its type, and check that it is one."""
    if wanted.type == "text":
        return found
    value = _NORMAL[wanted.type](found.value)
    real = bool(value)
    if wanted.type == "date":
        real = is_real_day(value)
    elif wanted.type == "tax_id":
        real = is_tax_id(value) or is_older_tax_id(value)
    return replace(found, value=value or found.value).checked(Check(wanted.type, real, f"must be a {wanted.type}"))
