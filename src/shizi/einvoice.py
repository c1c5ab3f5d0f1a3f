"""E-invoices: the values an invoice's own XML states, under the names that fields have.

Takes the bytes of a file: the XML of a fully digital invoice (数电票, root EInvoice), that of an earlier electronic
VAT invoice (root eInvoice, schema of 2019), an OFD that carries one of them or marks its texts with custom tags, or a
PDF that has one of all these attached.
Gives `EInvoice` values, or None. These are the issuer's own data, not readings; what they prove is for the fields.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from re import fullmatch, search
from xml.etree.ElementTree import Element

from shizi.errors import InputError
from shizi.ofd import Ofd
from shizi.pdf import Pdf
from shizi.xml import children, parse, text

HEADER_WITHIN = 1024  # bytes before which a PDF's header stands
# What a PDF says somewhere if files are attached to it: a stream's own type or a key of the file; or its objects
# are packed.
_ATTACHING = (b"/EmbeddedFile", b"/EF", b"/ObjStm")

# Where the schema of fully digital invoices (State Taxation Administration, versions 0.2 to 0.31) keeps each field.
_DIGITAL = {
    "invoice_type": "Header/InherentLabel/GeneralOrSpecialVAT/LabelName",
    "invoice_number": "TaxSupervisionInfo/InvoiceNumber",
    "date": "TaxSupervisionInfo/IssueTime",
    "buyer_name": "EInvoiceData/BuyerInformation/BuyerName",
    "buyer_tax_id": "EInvoiceData/BuyerInformation/BuyerIdNum",
    "seller_name": "EInvoiceData/SellerInformation/SellerName",
    "seller_tax_id": "EInvoiceData/SellerInformation/SellerIdNum",
    "amount": "EInvoiceData/BasicInformation/TotalAmWithoutTax",
    "tax": "EInvoiceData/BasicInformation/TotalTaxAm",
    "total": "EInvoiceData/BasicInformation/TotalTax-includedAmount",
    "total_in_words": "EInvoiceData/BasicInformation/TotalTax-includedAmountInChinese",
    "remarks": "EInvoiceData/AdditionalInformation/Remark",
    "drawer": "EInvoiceData/BasicInformation/Drawer",
}
_DIGITAL_JOINED = {
    f"{party}_{field}": [f"EInvoiceData/{side}Information/{side}{part}" for part in parts]
    for party, side in (("buyer", "Buyer"), ("seller", "Seller"))
    for field, parts in (("address_phone", ("Addr", "TelNum")), ("bank_account", ("BankName", "BankAccNum")))
}
_DIGITAL_ITEM = {
    "name": "ItemName",
    "spec": "SpecMod",
    "unit": "MeaUnits",
    "quantity": "Quantity",
    "unit_price": "UnPrice",
    "amount": "Amount",
    "tax_rate": "TaxRate",
    "tax": "ComTaxAm",
}
# The schema of electronic VAT invoices (http://www.edrm.org.cn/schema/e-invoice/2019), also that of custom tags.
_ELECTRONIC = {
    "invoice_code": "InvoiceCode",
    "invoice_number": "InvoiceNo",
    "date": "IssueDate",
    "check_code": "InvoiceCheckCode",
    "machine_number": "MachineNo",
    "buyer_name": "Buyer/BuyerName",
    "buyer_tax_id": "Buyer/BuyerTaxID",
    "buyer_address_phone": "Buyer/BuyerAddrTel",
    "buyer_bank_account": "Buyer/BuyerFinancialAccount",
    "seller_name": "Seller/SellerName",
    "seller_tax_id": "Seller/SellerTaxID",
    "seller_address_phone": "Seller/SellerAddrTel",
    "seller_bank_account": "Seller/SellerFinancialAccount",
    "amount": "TaxExclusiveTotalAmount",
    "tax": "TaxTotalAmount",
    "total": "TaxInclusiveTotalAmount",
    "remarks": "Note",
    "payee": "Payee",
    "reviewer": "Checker",
    "drawer": "InvoiceClerk",
}
_ELECTRONIC_ITEM = {
    "name": "Item",
    "spec": "Specification",
    "unit": "MeasurementDimension",
    "quantity": "Quantity",
    "unit_price": "Price",
    "amount": "Amount",
    "tax_rate": "TaxScheme",
    "tax": "TaxAmount",
}

# What each field is called on paper, in the order of an invoice.
LABELS = {
    "invoice_type": "发票类型",
    "invoice_code": "发票代码",
    "invoice_number": "发票号码",
    "date": "开票日期",
    "check_code": "校验码",
    "machine_number": "机器编号",
    "buyer_name": "购买方名称",
    "buyer_tax_id": "购买方纳税人识别号",
    "buyer_address_phone": "购买方地址、电话",
    "buyer_bank_account": "购买方开户行及账号",
    "seller_name": "销售方名称",
    "seller_tax_id": "销售方纳税人识别号",
    "seller_address_phone": "销售方地址、电话",
    "seller_bank_account": "销售方开户行及账号",
    "amount": "合计金额",
    "tax": "合计税额",
    "total": "价税合计（小写）",
    "total_in_words": "价税合计（大写）",
    "remarks": "备注",
    "payee": "收款人",
    "reviewer": "复核",
    "drawer": "开票人",
}
ITEM_LABELS = {
    "name": "项目名称",
    "spec": "规格型号",
    "unit": "单位",
    "quantity": "数量",
    "unit_price": "单价",
    "amount": "金额",
    "tax_rate": "税率",
    "tax": "税额",
}


@dataclass(frozen=True, slots=True)
class EInvoice:
    """What an invoice's own data state: texts by the names of fields, and those of each row. Absent fields are absent.

    Dates are YYYY-MM-DD and tax rates percentages; all else is as it was stated.
    """

    fields: Mapping[str, str]
    items: tuple[Mapping[str, str], ...] = ()


def of(data: bytes, password: str = "") -> EInvoice | None:
    """Give what a file states of the invoice it is; None if it is none, states nothing or is broken.

    `password` opens an encrypted PDF.
    """
    try:
        if b"%PDF-" in data[:HEADER_WITHIN]:
            return _attached_to(data, password)
        if data[:2] == b"PK":
            return _of_ofd(data)
        return (
            read(parse(data, "The XML")) if data[:200].lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t").startswith(b"<") else None
        )
    except InputError:
        return None


def _attached_to(data: bytes, password: str) -> EInvoice | None:
    """Give what the first e-invoice attached to a PDF states. Nothing is opened where nothing can be attached."""
    if not any(sign in data for sign in _ATTACHING):
        return None
    with Pdf(data, password) as pdf:
        attached = pdf.attached()
    kinds = (content for content in attached if b"%PDF-" not in content[:HEADER_WITHIN])  # no PDF within a PDF
    return next((stated for stated in map(of, kinds) if stated is not None), None)


def _of_ofd(data: bytes) -> EInvoice | None:
    with Ofd(data) as ofd:
        for attached in ofd.attached_xml():
            found = read(parse(attached, "The XML in the OFD"))
            if found is not None:
                return found
        tags = ofd.custom_tags()
        return read(tags) if tags is not None else None


def read(root: Element) -> EInvoice | None:
    """Give what the tree of an e-invoice states; None if it is not the tree of one."""
    if root.tag == "EInvoice":
        fields = {name: text(root, path) for name, path in _DIGITAL.items()}
        for name, paths in _DIGITAL_JOINED.items():
            fields[name] = " ".join(filter(None, (text(root, path) for path in paths)))
        fields["invoice_number"] = fields["invoice_number"] or text(root, "Header/EIid")
        fields["date"] = fields["date"] or text(root, "EInvoiceData/BasicInformation/RequestTime")
        rows = root.findall("EInvoiceData/IssuItemInformation")
        return _tidied(fields, [_item(row, _DIGITAL_ITEM) for row in rows])
    if root.tag == "eInvoice":
        fields = {name: text(root, path) for name, path in _ELECTRONIC.items()}
        rows = list(children(root.find("GoodsInfos"), "GoodsInfo"))
        return _tidied(fields, [_item(row, _ELECTRONIC_ITEM) for row in rows])
    return None


def is_einvoice(head: bytes) -> bool:
    """Tell by the first bytes of an XML file whether it is one of an e-invoice."""
    plain = head.replace(b"\0", b"")  # UTF-16 as well
    return search(rb"<(\w+:)?[eE]Invoice[\s>]", plain) is not None


def _item(row: Element, places: Mapping[str, str]) -> dict[str, str]:
    return {name: text(row, path) for name, path in places.items()}


def _tidied(fields: Mapping[str, str], items: list[dict[str, str]]) -> EInvoice | None:
    kept = {name: fields[name] for name in LABELS if fields.get(name)}
    if not kept:
        return None
    if "date" in kept:
        kept["date"] = _date(kept["date"])
    rows = []
    for item in items:
        row = {name: value for name, value in item.items() if value}
        if "tax_rate" in row:
            row["tax_rate"] = _percent(row["tax_rate"])
        if row:
            rows.append(row)
    return EInvoice(kept, tuple(rows))


def _date(value: str) -> str:
    """Give a date as YYYY-MM-DD, of any of the ways they are written (with times, 年月日, no signs at all)."""
    found = search(r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})", value)
    return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}" if found else value


def _percent(value: str) -> str:
    """Give a rate such as 0.13 as 13%; what is no plain number stays."""
    if not fullmatch(r"0?\.\d+|[01]", value):
        return value
    try:
        return f"{(Decimal(value) * 100).normalize():f}%"
    except InvalidOperation:
        return value
