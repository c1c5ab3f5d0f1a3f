"""Earlier text: what a PDF's page has of text before a layer is laid on it, so that nothing is found twice.

Unseen text (an earlier OCR's layer) is taken off; of seen text it is told that it is there. Only a page's own content
is looked at, not the forms it draws. Knows nothing of how layers are made.
"""

import pikepdf
from pikepdf import Operator

_SHOWS = frozenset(["Tj", "TJ", "'", '"'])
_UNSEEN = (3, 7)  # text rendering modes without ink (ISO 32000-1, table 106)

Instructions = list[pikepdf.ContentStreamInstruction | pikepdf.ContentStreamInlineImage]


def take_unseen(pdf: pikepdf.Pdf, page: pikepdf.Page) -> bool:
    """Take unseen text off a page; say whether seen text stands on it. A content that cannot be parsed stays."""
    try:
        found: Instructions = list(pikepdf.parse_content_stream(page))
    except pikepdf.PdfError:
        return False
    modes = _modes(found)
    seen = any(mode not in _UNSEEN for mode in modes.values())
    if modes and not seen:
        kept: Instructions = []
        for i, instruction in enumerate(found):
            kept += _moved(instruction) if i in modes else [instruction]
        page.obj.Contents = pdf.make_stream(pikepdf.unparse_content_stream(kept))
        return False
    return seen


def _modes(found: Instructions) -> dict[int, int]:
    """Give the rendering mode in force at each operator that shows text."""
    modes: dict[int, int] = {}
    mode, kept = 0, []
    for i, instruction in enumerate(found):
        name = str(instruction.operator)
        if name == "q":
            kept.append(mode)
        elif name == "Q" and kept:
            mode = kept.pop()
        elif name == "Tr" and instruction.operands:
            mode = int(instruction.operands[0])
        elif name in _SHOWS:
            modes[i] = mode
    return modes


def _moved(
    instruction: pikepdf.ContentStreamInstruction | pikepdf.ContentStreamInlineImage,
) -> list[pikepdf.ContentStreamInstruction | pikepdf.ContentStreamInlineImage]:
    """Give what is left of an operator that shows text: the step to the next line, if it makes one."""
    if str(instruction.operator) in ("'", '"'):
        return [pikepdf.ContentStreamInstruction([], Operator("T*"))]
    return []
