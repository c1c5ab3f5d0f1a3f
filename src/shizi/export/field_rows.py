"""Field rows: the fields of a form as rows of a list, for formats made of rows.

Takes fields, gives name, value, text, confidence, page and checks of each; a field that is a list gives the fields of
its rows instead, named `items.1.name`; of several forms the fields of those after the first are named `forms.2.total`.
Knows nothing of any format.
"""

from collections.abc import Iterable, Iterator

from shizi.document import Document, Field

HEADING = ("field", "value", "text", "confidence", "page", "checks")
Row = tuple[str, str, str, float, int, str]


def all_rows(document: Document) -> Iterator[Row]:
    """Give the rows of all forms of a document."""
    yield from rows_of(document.fields)
    for number, form in enumerate(document.forms[1:], start=2):
        yield from rows_of(form.fields, f"forms.{number}.")


def rows_of(fields: Iterable[Field], prefix: str = "") -> Iterator[Row]:
    """Give one row a field; `checks` says which passed and which failed."""
    for field in fields:
        name = f"{prefix}{field.name}"
        if not field.rows:
            yield name, field.value, field.text, round(field.confidence, 4), field.page, _checks(field)
        for number, row in enumerate(field.rows, start=1):
            yield from rows_of(row, f"{name}.{number}.")


def _checks(field: Field) -> str:
    return "; ".join(f"{check.name}: {'passed' if check.passed else 'failed'}" for check in field.checks)
