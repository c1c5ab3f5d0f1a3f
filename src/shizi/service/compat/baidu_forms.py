"""Baidu's names for an invoice's fields and a table's cells.

Takes documents read with `fields` or `tables`, gives `words_result` and `tables_result`. Shapes: the pages
nk3h7xy2t and Al1zvpylt named in `baidu`.
"""

import base64
import re
from typing import Any

from shizi.document import Cell, Document, Field, Page, Table
from shizi.export import FORMATS
from shizi.geometry import Polygon
from shizi.service.compat import door

# Theirs, ours. An empty name is one that we do not tell apart: the key is there, its value empty.
_NAMES = {
    "InvoiceTypeOrg": "title",
    "InvoiceCode": "invoice_code",
    "InvoiceNum": "invoice_number",
    "InvoiceCodeConfirm": "invoice_code",
    "InvoiceNumConfirm": "invoice_number",
    "InvoiceNumDigit": "",
    "MachineNum": "",
    "MachineCode": "machine_number",
    "CheckCode": "check_code",
    "PurchaserName": "buyer_name",
    "PurchaserRegisterNum": "buyer_tax_id",
    "PurchaserAddress": "buyer_address_phone",
    "PurchaserBank": "buyer_bank_account",
    "Password": "",
    "City": "",
    "SheetNum": "",
    "OnlinePay": "",
    "SellerName": "seller_name",
    "SellerRegisterNum": "seller_tax_id",
    "SellerAddress": "seller_address_phone",
    "SellerBank": "seller_bank_account",
    "TotalAmount": "amount",
    "TotalTax": "tax",
    "AmountInWords": "total_in_words",
    "AmountInFiguers": "total",
    "Payee": "payee",
    "Checker": "reviewer",
    "NoteDrawer": "drawer",
    "Remarks": "remarks",
}
_ROWS = {
    "CommodityName": "name",
    "CommodityType": "spec",
    "CommodityUnit": "unit",
    "CommodityNum": "quantity",
    "CommodityPrice": "unit_price",
    "CommodityAmount": "amount",
    "CommodityTaxRate": "tax_rate",
    "CommodityTax": "tax",
    "CommodityPlateNum": "",
    "CommodityVehicleType": "",
    "CommodityStartDate": "",
    "CommodityEndDate": "",
}
# The kinds they tell, by what the invoice's kind or title says; the first that fits.
_KINDS = (
    ("通行费", "通行费电子普票"),
    ("区块链", "区块链发票"),
    (r"电子发票.*专用", "电子发票(专用发票)"),
    (r"电子发票.*普通", "电子发票(普通发票)"),
    ("电子专用|电子.*专用", "电子专用发票"),
    ("电子", "电子普通发票"),
    ("专用", "专用发票"),
    ("普通|卷", "普通发票"),
)


def vat_invoice(document: Document) -> dict[str, Any] | None:
    """Give `words_result` of an invoice; None if the document is none."""
    fields = {field.name: field for field in document.fields}
    if not {"invoice_number", "invoice_code"} & set(fields):
        return None
    title = _title(document, fields)
    values: dict[str, Any] = {
        "ServiceType": "其他",
        "InvoiceType": _kind(title),
        "InvoiceTag": "其他",
        "Agent": "是" if "代开" in document.text else "否",
        "Province": _province(title),
        "InvoiceDate": _date(_value(fields.get("date"))),
    }
    values |= {theirs: title if ours == "title" else _value(fields.get(ours)) for theirs, ours in _NAMES.items()}
    items = fields["items"].rows if "items" in fields else ()
    for theirs, ours in _ROWS.items():
        values[theirs] = [
            {"row": str(number), "word": _value(part)}
            for number, row in enumerate(items, start=1)
            for part in row
            if part.name == ours
        ]
    return values


def tables(document: Document, contents: bool) -> dict[str, Any]:
    """Give `tables_result` and its count; `contents`: the lines of each cell too."""
    found = [_table(table, page, contents) for page in document.pages for table in page.tables]
    return {"tables_result": found, "table_num": len(found)}


def excel(document: Document) -> str:
    """Give the tables as an Excel file in base64."""
    return base64.b64encode(FORMATS["xlsx"].write(document)).decode()


def _table(table: Table, page: Page, contents: bool) -> dict[str, Any]:
    return {
        "table_location": _points(table.polygon, page),
        "header": [],
        "body": [_cell(cell, page, contents) for cell in table.cells],
        "footer": [],
    }


def _cell(cell: Cell, page: Page, contents: bool) -> dict[str, Any]:
    """Give a cell: rows and columns are those of the rules around it, so the last is one past it."""
    values: dict[str, Any] = {
        "cell_location": _points(cell.polygon, page),
        "row_start": cell.row,
        "row_end": cell.row + cell.row_span,
        "col_start": cell.column,
        "col_end": cell.column + cell.column_span,
        "words": cell.text,
    }
    if contents:
        values["contents"] = [
            {"poly_location": _points(page.lines[number].polygon, page), "word": page.lines[number].text}
            for number in cell.lines
        ]
    return values


def _points(polygon: Polygon, page: Page) -> list[dict[str, int]]:
    return [{"x": round(x), "y": round(y)} for x, y in door.corners(polygon, page)]


def _value(field: Field | None) -> str:
    return field.value if field else ""


def _title(document: Document, fields: dict[str, Field]) -> str:
    """Give the invoice's heading: the field's own text if it is one, else the first line that says invoice."""
    printed = fields["invoice_type"].text if "invoice_type" in fields else ""
    if "发票" in printed:
        return printed
    lines = (line.text for page in document.pages for line in page.lines)
    return next((line for line in lines if re.search("发票|通行费", line) and len(line) < 30), printed)


def _kind(title: str) -> str:
    return next((kind for pattern, kind in _KINDS if re.search(pattern, title)), "其他")


def _province(title: str) -> str:
    """Give the place that old headings begin with: 上海增值税电子普通发票."""
    found = re.match(r"([\u4e00-\u9fff]{2,4}?)(省|市)?(增值税|通用)", title)
    return found[1] if found and "电子" not in found[1] else ""


def _date(date: str) -> str:
    """Turn 2026-03-01 into 2026年03月01日."""
    found = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", date)
    return f"{found[1]}年{found[2]}月{found[3]}日" if found else date
