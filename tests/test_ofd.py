"""OFD and XML e-invoices: texts with their places, pictures, what the issuer states; flaws refused."""

import contextlib
import io
import random

import numpy as np
import ofds
import pdfs
import pikepdf
import pytest
from ofds import image_object, ofd, page, text_object
from PIL import Image, ImageDraw, ImageFont

from shizi import einvoice
from shizi.document import Fragment, PageText
from shizi.errors import DamagedFile, OptionsError, ShiziError, TooLarge, UnsupportedFormat
from shizi.options import ReadOptions
from shizi.pages import Limits, format_of, open_pages, page_count

PIXELS_A_MM = 200 / 25.4


def opened(data: bytes, **options: str) -> list[PageText]:
    pages = list(open_pages(data, options=ReadOptions.parse(options)))
    assert all(isinstance(page, PageText) for page in pages)
    return pages  # type: ignore[return-value]


def pieces(content: str, **more: object) -> dict[str, Fragment]:
    (found,) = opened(ofd(content, **more))
    return {fragment.text: fragment for fragment in found.fragments}


def millimetres(fragment: Fragment) -> tuple[float, ...]:
    return tuple(side / PIXELS_A_MM for side in fragment.polygon.bounds)


def words(text: str) -> Image.Image:
    picture = Image.new("L", (500, 100), 255)
    ImageDraw.Draw(picture).text((20, 20), text, 0, ImageFont.load_default(48))
    return picture


def test_texts_stand_where_the_file_says() -> None:
    found = pieces(page(text_object("识字科技", 20, 50, size=4, deltas="g 3 5")))["识字科技"]
    assert millimetres(found) == pytest.approx((20, 50 - 0.86 * 4, 20 + 3 * 5 + 4, 50 + 0.14 * 4), abs=0.05)
    assert [char.text for char in found.reading.chars] == list("识字科技")
    starts = [20 + char.start * 19 for char in found.reading.chars]
    assert starts == pytest.approx([20, 25, 30, 35], abs=0.05)


def test_a_page_has_its_own_size_or_the_documents() -> None:
    first, second = opened(ofd(page(), page(box="10 10 100 80")))
    assert (first.width, first.height, first.dpi) == (round(210 * PIXELS_A_MM), round(140 * PIXELS_A_MM), 200)
    assert (second.width, second.height) == (round(100 * PIXELS_A_MM), round(80 * PIXELS_A_MM))
    (moved,) = opened(ofd(page(text_object("字", 20, 30), box="10 10 100 80")))[0].fragments
    assert millimetres(moved)[0] == pytest.approx(10, abs=0.05)


def test_steps_may_be_repeated_or_left_to_the_font() -> None:
    figures = pieces(page(text_object("12345", 10, 20, size=4, deltas="2 g 2 2.5 2")))["12345"]
    assert millimetres(figures)[2] == pytest.approx(10 + 2 + 5 + 2 + 2, abs=0.05)
    plain = pieces(page(text_object("ab字", 10, 20, size=4)))["ab字"]
    assert millimetres(plain)[2] == pytest.approx(10 + 2 + 2 + 4, abs=0.05)


def test_wide_steps_part_cells_and_several_codes_are_several_pieces() -> None:
    apart = text_object("ab", 10, 20, size=4, deltas="40")
    assert set(pieces(page(apart))) == {"a", "b"}
    twice = text_object("上", 10, 20).replace(
        "</ofd:TextObject>", '<ofd:TextCode X="0" Y="12">下</ofd:TextCode></ofd:TextObject>'
    )
    found = pieces(page(twice))
    assert millimetres(found["下"])[1] > millimetres(found["上"])[3]


def test_a_column_runs_down() -> None:
    column = text_object("购买方", 10, 20, size=4, code=' DeltaY="g 2 5"')
    found = pieces(page(column))["购买方"]
    assert found.vertical
    assert found.polygon.height == pytest.approx((2 * 5 + 4) * PIXELS_A_MM, rel=0.05)


def test_a_matrix_turns_and_stretches() -> None:
    turned = text_object("turned", 50, 20, size=4, CTM="0 1 -1 0 10 0")
    found = pieces(page(turned))["turned"]
    assert found.polygon.angle == pytest.approx(90)
    wide = pieces(page(text_object("wide", 10, 20, size=4, CTM="2 0 0 1 0 0")))["wide"]
    assert wide.polygon.width == pytest.approx(2 * 4 * 2 * PIXELS_A_MM, rel=0.02)


def test_templates_blocks_and_annotations_are_part_of_the_page() -> None:
    block = f"<ofd:PageBlock>{text_object('内容', 10, 40)}</ofd:PageBlock>"
    found = pieces(
        page(block, template=True), template=page(text_object("底版", 10, 10)), annotation=text_object("印章", 5, 10)
    )
    assert set(found) == {"底版", "内容", "印章"}
    assert millimetres(found["印章"])[0] == pytest.approx(105, abs=0.05)


def test_unseen_texts_are_left_out() -> None:
    assert set(pieces(page(text_object("seen", 10, 10), text_object("unseen", 10, 20, Visible="false")))) == {"seen"}


def test_upright_strokes_are_rules() -> None:
    path = (
        '<ofd:PathObject Boundary="30 10 1 50"><ofd:AbbreviatedData>M 0 0 L 0 50</ofd:AbbreviatedData></ofd:PathObject>'
    )
    (found,) = opened(ofd(page(path)))
    assert found.rules == (pytest.approx((30 * PIXELS_A_MM, 10 * PIXELS_A_MM, 60 * PIXELS_A_MM)),)


def test_pictures_are_drawn_where_they_stand_for_reading() -> None:
    for found in open_pages(
        ofd(page(text_object("文字", 10, 20), image_object(1, 50, 80, 100, 20)), pictures={1: words("in it")})
    ):
        assert isinstance(found, PageText)
        rest = found.rest(())
        assert rest is not None
        assert rest.shape == (found.height, found.width, 3)
        rows, columns = (rest[:, :, 0] < 128).nonzero()
        scale = found.dpi / 25.4 if found.dpi else 0
        assert 80 * scale <= rows.min() < rows.max() <= 100 * scale
        assert 50 * scale <= columns.min() < columns.max() <= 150 * scale
    (plain,) = open_pages(ofd(page(image_object(1, 50, 80, 100, 20)), pictures={1: Image.new("L", (90, 20), 200)}))
    assert isinstance(plain, PageText)
    assert plain.rest(()) is None


def test_a_picture_keeps_its_pixels_at_its_own_size() -> None:
    picture = words("exactly these pixels")
    side = 25.4 / 200  # mm a pixel
    (found,) = open_pages(
        ofd(page(image_object(1, 10 * side, 20 * side, 500 * side, 100 * side)), pictures={1: picture})
    )
    drawn = found.pixels[20:120, 10:510, 0].astype(int)
    assert np.abs(drawn - np.asarray(picture)).mean() < 1


def test_a_picture_that_cannot_be_read_is_told() -> None:
    parts = ofds.members(page(image_object(1, 10, 10, 20, 20)), pictures={1: words("x")})
    parts["Doc_0/Res/image_1.png"] = parts["Doc_0/Res/image_1.png"][:50]
    (found,) = opened(ofds.packed(parts))
    assert found.warnings[0].startswith("picture_unread")


def test_pages_are_chosen_and_counted() -> None:
    data = ofd(*[page(text_object(f"page {n}", 10, 10)) for n in range(1, 6)])
    assert format_of(data) == "OFD"
    assert page_count(data) == 5
    assert [found.number for found in opened(data, pages="2,4-")] == [2, 4, 5]
    assert [found.number for found in open_pages(data, Limits(frames=2))] == [1, 2]
    with pytest.raises(OptionsError, match="has 5 pages"):
        opened(data, pages="6")
    with pytest.raises(OptionsError, match="never drawn"):
        opened(data, pdf="ocr")


# What the issuer states


def test_a_digital_invoice_states_its_fields() -> None:
    stated = einvoice.of(ofds.DIGITAL.encode())
    assert stated is not None
    assert stated.fields["invoice_number"] == "25312000000123456789"
    assert stated.fields["date"] == "2026-11-21"
    assert stated.fields["seller_address_phone"] == "上海市徐汇区 021-12345678"
    assert stated.fields["total_in_words"] == "壹佰壹拾叁圆整"
    assert "payee" not in stated.fields
    (row,) = stated.items
    assert (row["name"], row["tax_rate"], row["tax"]) == ("*软件*识别服务", "13%", "13.00")


def test_an_ofd_states_what_is_attached_to_it() -> None:
    stated = einvoice.of(ofd(page(), attached=ofds.ELECTRONIC))
    assert stated == einvoice.of(ofds.ELECTRONIC.encode())
    assert stated is not None
    assert stated.fields["date"] == "2020-05-06"
    assert stated.fields["reviewer"] == "李四"
    assert stated.items == ({"name": "纸", "tax_rate": "13%"},)


def test_an_ofd_states_what_its_tags_point_to() -> None:
    tags = (
        f'<fp:eInvoice xmlns:fp="x" {ofds.NAMESPACE}><fp:InvoiceNo><ofd:ObjectRef PageRef="0">7</ofd:ObjectRef>'
        '</fp:InvoiceNo><fp:Seller><fp:SellerName><ofd:ObjectRef PageRef="0">8</ofd:ObjectRef>'
        '<ofd:ObjectRef PageRef="0">9</ofd:ObjectRef></fp:SellerName></fp:Seller></fp:eInvoice>'
    )
    texts = [
        text_object("12345678", 10, 10, number=7),
        text_object("识字", 10, 20, number=8),
        text_object("科技", 30, 20, number=9),
    ]
    stated = einvoice.of(ofd(page(*texts), tags=tags))
    assert stated is not None
    assert stated.fields == {"invoice_number": "12345678", "seller_name": "识字科技"}


def pdf_with(*attached: bytes, **saving: object) -> bytes:
    with pikepdf.open(io.BytesIO(pdfs.drawn(pdfs.lines("An invoice")))) as document:
        for i, content in enumerate(attached):
            document.attachments[f"{i}.xml"] = pikepdf.AttachedFileSpec(document, content, filename=f"{i}.xml")
        buffer = io.BytesIO()
        document.save(buffer, **saving)  # type: ignore[arg-type]
        return buffer.getvalue()


@pytest.mark.parametrize("packed", [False, True])
def test_a_pdf_states_what_is_attached_to_it(packed: bool) -> None:
    mode = pikepdf.ObjectStreamMode.generate if packed else pikepdf.ObjectStreamMode.disable
    data = pdf_with(b"notes", b"<other/>", ofds.DIGITAL.encode(), object_stream_mode=mode)
    assert einvoice.of(data) == einvoice.of(ofds.DIGITAL.encode())
    assert einvoice.of(pdf_with(ofd(page(), attached=ofds.ELECTRONIC))) == einvoice.of(ofds.ELECTRONIC.encode())


def test_a_locked_pdf_states_it_to_who_has_the_password() -> None:
    data = pdf_with(ofds.DIGITAL.encode(), encryption=pikepdf.Encryption(owner="o", user="secret"))
    assert einvoice.of(data, "secret") == einvoice.of(ofds.DIGITAL.encode())
    assert einvoice.of(data) is None


def test_a_pdf_without_an_invoice_or_with_a_pdf_in_a_pdf_states_nothing() -> None:
    assert einvoice.of(pdf_with(b"notes")) is None
    assert einvoice.of(pdf_with(pdf_with(ofds.DIGITAL.encode()))) is None
    assert einvoice.of(pdf_with(b"x" * (17 << 20))) is None


@pytest.mark.parametrize("data", [b"", b"<a/>", b"<EInvoice/>", b"PK\3\4", ofd(page()), b"\xff\xd8\xff", b"<EInvoice>"])
def test_what_is_no_invoice_states_nothing(data: bytes) -> None:
    assert einvoice.of(data) is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gbk"])
def test_an_xml_invoice_is_a_page_of_its_lines(encoding: str) -> None:
    data = ofds.DIGITAL.replace("UTF-8", encoding).encode(encoding)
    assert format_of(data) == "XML"
    assert page_count(data) == 1
    (found,) = opened(data)
    lines = [fragment.text for fragment in found.fragments]
    assert "发票号码：25312000000123456789" in lines
    assert "税率：13%" in lines
    with pytest.raises(OptionsError):
        opened(data, pages="2")


# Flaws


def test_other_xml_and_other_zips_are_named() -> None:
    with pytest.raises(UnsupportedFormat, match="XML"):
        open_pages(b'<?xml version="1.0"?><Order><Number>1</Number></Order>')
    with pytest.raises(UnsupportedFormat, match="zip archive"):
        open_pages(ofds.packed({"word/document.xml": b"<a/>"}))


LAUGHS = (
    '<!DOCTYPE EInvoice [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)


@pytest.mark.parametrize(
    "declaration", [LAUGHS, '<!DOCTYPE EInvoice [<!ENTITY a SYSTEM "file:///etc/passwd">]>', "<!DOCTYPE EInvoice>"]
)
def test_entities_are_refused(declaration: str) -> None:
    with pytest.raises(DamagedFile, match="no sound XML"):
        open_pages(f"{declaration}<EInvoice><Header><EIid>&a;</EIid></Header></EInvoice>".encode())
    parts = ofds.members(page())
    parts["Doc_0/Document.xml"] = declaration.replace("EInvoice", "x").encode() + parts["Doc_0/Document.xml"]
    with pytest.raises(DamagedFile, match="no sound XML"):
        open_pages(ofds.packed(parts))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_file_cut_short_is_damaged(share: float) -> None:
    data = ofd(page(text_object("文字", 10, 10)))
    with pytest.raises(DamagedFile):
        open_pages(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    "gone", ["Doc_0/Document.xml", "Doc_0/Pages/Page_1/Content.xml", "Doc_0/Tpls/Tpl_0/Content.xml"]
)
def test_a_missing_part_is_named(gone: str) -> None:
    parts = ofds.members(page(), page(template=True))
    del parts[gone]
    with pytest.raises(DamagedFile, match=gone):
        list(open_pages(ofds.packed(parts)))


def test_an_ofd_without_pages_or_size_is_damaged() -> None:
    with pytest.raises(DamagedFile, match="no page"):
        open_pages(ofd())
    for box in ("0 0 0 0", "0 0 -5 10", "x y z 4"):
        with pytest.raises(DamagedFile, match="how large"):
            list(open_pages(ofd(page(box=box))))


def test_a_zip_bomb_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shizi.ofd.MOST_BYTES", 5_000_000)
    parts = ofds.members(page())
    assert opened(ofds.packed(parts | {"Doc_0/bomb": bytes(4_000_000)}))
    with pytest.raises(TooLarge, match="unpacks"):
        open_pages(ofds.packed(parts | {"Doc_0/bomb": bytes(5_000_000)}))


def test_endless_lists_and_trees_are_too_large() -> None:
    listed = bytearray(ofd(page()))
    end = listed.rindex(b"PK\5\6")
    listed[end + 12 : end + 16] = b"\xff" * 4
    with pytest.raises(TooLarge, match="lists its parts"):
        open_pages(bytes(listed))
    with pytest.raises(TooLarge, match="elements"):
        open_pages(b"<EInvoice>" + b"<a/>" * 2_000_001)
    deep = b"<EInvoice>" + b"<a>" * 200_000 + b"</a>" * 200_000 + b"</EInvoice>"
    with pytest.raises(DamagedFile):
        open_pages(deep)


def test_a_part_that_lies_about_its_size_is_damaged() -> None:
    data = bytearray(ofd(page(text_object("文字" * 500, 10, 10))))
    at = data.index(b"PK\1\2", data.rindex(b"Doc_0/Pages") - 60)
    data[at + 24 : at + 28] = (20).to_bytes(4, "little")
    with pytest.raises(DamagedFile):
        list(open_pages(bytes(data)))


def test_a_locked_zip_is_damaged() -> None:
    data = bytearray(ofd(page()))
    for at in range(len(data) - 4):
        if data[at : at + 4] == b"PK\1\2":
            data[at + 8] |= 1
    with pytest.raises(DamagedFile, match="unpacked"):
        open_pages(bytes(data))


def test_a_template_within_itself_and_deep_blocks_end() -> None:
    deep = "<ofd:PageBlock>" * 500 + text_object("deep", 10, 10) + "</ofd:PageBlock>" * 500
    assert pieces(page(deep)) == {}


def test_a_page_of_a_mile_is_drawn_small_or_refused() -> None:
    (found,) = opened(ofd(page(text_object("x", 10, 10), box="0 0 100000 1000")))
    assert found.width * found.height <= Limits().pixels


def test_mutated_files_give_pages_or_our_errors() -> None:
    parts = ofds.members(
        page(
            text_object("发票号码：123", 20, 30, deltas="g 5 4 g 3 2"), image_object(1, 10, 10, 50, 10), template=True
        ),
        pictures={1: words("x")},
        attached=ofds.ELECTRONIC,
    )
    chance = random.Random(5)
    for _ in range(150):
        name = chance.choice(list(parts))
        changed = bytearray(parts[name])
        at = chance.randrange(len(changed))
        match chance.randrange(4):
            case 0:
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                changed[at : at + chance.randrange(1, 30)] = b""
            case 2:
                changed[at : at + 3] = chance.choice((b"9e9", b"nan", b"-1 ", b"g 9", b"inf"))
            case _:
                changed[at:at] = changed[chance.randrange(len(changed)) :][:40]
        data = ofds.packed(parts | {name: bytes(changed)})
        einvoice.of(data)
        with contextlib.suppress(ShiziError):
            for found in open_pages(data, Limits(pixels=2_000_000)):
                assert isinstance(found, PageText)
                found.rest(())
                assert found.pixels.shape[2] == 3
