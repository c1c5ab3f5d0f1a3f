"""Draws OFDs for the tests: an e-invoice's page with a template, pictures, tags and attached XML; flaws."""

import io
import zipfile
from collections.abc import Mapping

from PIL import Image

NAMESPACE = 'xmlns:ofd="http://www.ofdspec.org/2016"'
DIGITAL = """<?xml version="1.0" encoding="UTF-8"?>
<EInvoice><Header><EIid>25312000000123456789</EIid><Version>0.31</Version><InherentLabel>
<GeneralOrSpecialVAT><LabelCode>02</LabelCode><LabelName>普通发票</LabelName></GeneralOrSpecialVAT></InherentLabel></Header>
<EInvoiceData>
<SellerInformation><SellerIdNum>91310000MA1FL0000X</SellerIdNum><SellerName>识字科技有限公司</SellerName>
<SellerAddr>上海市徐汇区</SellerAddr><SellerTelNum>021-12345678</SellerTelNum><SellerBankName>工商银行</SellerBankName>
<SellerBankAccNum>6222000000000000</SellerBankAccNum></SellerInformation>
<BuyerInformation><BuyerIdNum>91310000MA1FL1111Y</BuyerIdNum><BuyerName>文字有限公司</BuyerName></BuyerInformation>
<BasicInformation><TotalAmWithoutTax>100.00</TotalAmWithoutTax><TotalTaxAm>13.00</TotalTaxAm>
<TotalTax-includedAmount>113.00</TotalTax-includedAmount>
<TotalTax-includedAmountInChinese>壹佰壹拾叁圆整</TotalTax-includedAmountInChinese>
<Drawer>王五</Drawer><RequestTime>2026-11-22 10:00:00</RequestTime></BasicInformation>
<IssuItemInformation><ItemName>*软件*识别服务</ItemName><SpecMod>A</SpecMod><MeaUnits>次</MeaUnits><Quantity>1</Quantity>
<UnPrice>100</UnPrice><Amount>100.00</Amount><TaxRate>0.13</TaxRate><ComTaxAm>13.00</ComTaxAm></IssuItemInformation>
<AdditionalInformation><Remark>样张</Remark></AdditionalInformation></EInvoiceData>
<TaxSupervisionInfo><InvoiceNumber>25312000000123456789</InvoiceNumber><IssueTime>2026-11-21 09:08:07</IssueTime>
</TaxSupervisionInfo></EInvoice>"""
ELECTRONIC = """<?xml version="1.0" encoding="UTF-8"?>
<fp:eInvoice xmlns:fp="http://www.edrm.org.cn/schema/e-invoice/2019"><fp:InvoiceCode>031001900111</fp:InvoiceCode>
<fp:InvoiceNo>12345678</fp:InvoiceNo><fp:IssueDate>2020年05月06日</fp:IssueDate>
<fp:InvoiceCheckCode>12345678901234567890</fp:InvoiceCheckCode><fp:MachineNo>661616300747</fp:MachineNo>
<fp:Buyer><fp:BuyerName>文字有限公司</fp:BuyerName></fp:Buyer><fp:Seller><fp:SellerName>识字科技有限公司</fp:SellerName>
</fp:Seller><fp:TaxInclusiveTotalAmount>113.00</fp:TaxInclusiveTotalAmount><fp:Checker>李四</fp:Checker>
<fp:GoodsInfos><fp:GoodsInfo><fp:Item>纸</fp:Item><fp:TaxScheme>13%</fp:TaxScheme></fp:GoodsInfo></fp:GoodsInfos>
</fp:eInvoice>"""


def text_object(
    text: str, x: float, y: float, size: float = 4, number: int = 0, deltas: str = "", code: str = "", **attributes: str
) -> str:
    """Give a TextObject whose first character's base line begins at (x, y) mm."""
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    steps = f' DeltaX="{deltas}"' if deltas else ""
    return (
        f'<ofd:TextObject ID="{number}" Boundary="{x} {y - size} 150 10" Font="1" Size="{size}"{more}>'
        f'<ofd:TextCode X="0" Y="{size}"{steps}{code}>{text}</ofd:TextCode></ofd:TextObject>'
    )


def image_object(number: int, x: float, y: float, width: float, height: float) -> str:
    """Give an ImageObject."""
    return (
        f'<ofd:ImageObject ID="9{number}" Boundary="{x} {y} {width} {height}" CTM="{width} 0 0 {height} 0 0" '
        f'ResourceID="{number}"/>'
    )


def page(*objects: str, template: bool = False, box: str = "") -> str:
    """Give a page's XML."""
    area = f"<ofd:Area><ofd:PhysicalBox>{box}</ofd:PhysicalBox></ofd:Area>" if box else ""
    used = '<ofd:Template TemplateID="2"/>' if template else ""
    layer = f'<ofd:Layer ID="5">{"".join(objects)}</ofd:Layer>'
    content = f"<ofd:Content>{layer}</ofd:Content>"
    return f'<?xml version="1.0" encoding="UTF-8"?><ofd:Page {NAMESPACE}>{area}{used}{content}</ofd:Page>'


def members(
    *pages: str,
    template: str = "",
    pictures: Mapping[int, Image.Image] | None = None,
    attached: str = "",
    tags: str = "",
    annotation: str = "",
) -> dict[str, bytes]:
    """Give the parts of an OFD by name; A5 across unless a page says otherwise."""
    listed = "".join(f'<ofd:Page ID="{i}" BaseLoc="Pages/Page_{i}/Content.xml"/>' for i in range(len(pages)))
    media = "".join(
        f'<ofd:MultiMedia ID="{n}" Type="Image"><ofd:MediaFile>image_{n}.png</ofd:MediaFile></ofd:MultiMedia>'
        for n in pictures or {}
    )
    parts = {
        "OFD.xml": f'<ofd:OFD {NAMESPACE} Version="1.0" DocType="OFD"><ofd:DocBody>'
        "<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f"<ofd:Document {NAMESPACE}><ofd:CommonData><ofd:PageArea>"
        "<ofd:PhysicalBox>0 0 210 140</ofd:PhysicalBox></ofd:PageArea>"
        "<ofd:DocumentRes>DocumentRes.xml</ofd:DocumentRes>"
        '<ofd:TemplatePage ID="2" BaseLoc="Tpls/Tpl_0/Content.xml"/></ofd:CommonData>'
        f"<ofd:Pages>{listed}</ofd:Pages><ofd:Annotations>Annots/Annotations.xml</ofd:Annotations>"
        "<ofd:Attachments>Attachs/Attachments.xml</ofd:Attachments><ofd:CustomTags>Tags/CustomTags.xml</ofd:CustomTags>"
        "</ofd:Document>",
        "Doc_0/DocumentRes.xml": f'<ofd:Res {NAMESPACE} BaseLoc="Res">'
        f"<ofd:MultiMedias>{media}</ofd:MultiMedias></ofd:Res>",
        "Doc_0/Tpls/Tpl_0/Content.xml": template or page(),
        "Doc_0/Annots/Annotations.xml": f'<ofd:Annotations {NAMESPACE}><ofd:Page PageID="0"><ofd:FileLoc>Page_0/A.xml'
        "</ofd:FileLoc></ofd:Page></ofd:Annotations>",
        "Doc_0/Annots/Page_0/A.xml": f'<ofd:PageAnnot {NAMESPACE}><ofd:Annot Type="Stamp"><ofd:Appearance '
        f'Boundary="100 100 50 20">{annotation}</ofd:Appearance></ofd:Annot></ofd:PageAnnot>',
        "Doc_0/Attachs/Attachments.xml": f'<ofd:Attachments {NAMESPACE}><ofd:Attachment ID="1" Name="original_invoice">'
        "<ofd:FileLoc>original_invoice.xml</ofd:FileLoc></ofd:Attachment></ofd:Attachments>",
        "Doc_0/Tags/CustomTags.xml": f'<ofd:CustomTags {NAMESPACE}><ofd:CustomTag TypeID="0"><ofd:FileLoc>CustomTag.xml'
        "</ofd:FileLoc></ofd:CustomTag></ofd:CustomTags>",
        **{f"Doc_0/Pages/Page_{i}/Content.xml": content for i, content in enumerate(pages)},
    }
    if attached:
        parts["Doc_0/Attachs/original_invoice.xml"] = attached
    if tags:
        parts["Doc_0/Tags/CustomTag.xml"] = tags
    found = {name: part.encode() for name, part in parts.items()}
    for number, picture in (pictures or {}).items():
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        found[f"Doc_0/Res/image_{number}.png"] = buffer.getvalue()
    return found


def packed(parts: Mapping[str, bytes]) -> bytes:
    """Zip the parts of an OFD."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return buffer.getvalue()


def ofd(*pages: str, **more: object) -> bytes:
    """Make an OFD of these pages; what else it holds is told to `members`."""
    return packed(members(*pages, **more))  # type: ignore[arg-type]
