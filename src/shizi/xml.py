"""XML: bytes from strangers become an element tree, without entities, documents elsewhere or bottomless nesting.

Takes bytes in UTF-8, UTF-16 or one of the GB encodings, gives the root element with plain tags (no namespaces). Knows
nothing of what a document says.
"""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from shizi.errors import DamagedFile, TooLarge

MOST_BYTES = 64_000_000
MOST_ELEMENTS = 1_000_000  # each takes a hundred bytes and more
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["'][^>]*\?>""")
_GB = {"gbk", "gb2312", "gb18030", "cp936"}  # expat knows no encoding of several bytes but Unicode's


def parse(data: bytes, what: str) -> Element:
    """Parse `what` (named in errors). Raises DamagedFile for what is no XML, or is made to do harm; TooLarge."""
    if len(data) > MOST_BYTES:
        raise TooLarge(f"{what} has {len(data)} bytes of XML; at most {MOST_BYTES} are read.")
    if data.count(b"<") > 2 * MOST_ELEMENTS:
        raise TooLarge(f"{what} has more than {MOST_ELEMENTS} elements, the most that are read.")
    try:
        declared = _DECLARED.match(data[:200])
        if declared and declared[1].decode().lower() in _GB:
            data = data[declared.end() :].decode("gb18030").encode()
        root: Element = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, UnicodeError, ValueError) as error:
        raise DamagedFile(f"{what} is no sound XML. Send it again as it was issued.") from error
    for element in root.iter():
        element.tag = name(element)
    return root


def name(element: Element) -> str:
    """Give an element's name without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def text(element: Element | None, path: str = ".") -> str:
    """Give the text of the element at `path` below, stripped; '' if there is none."""
    found = element.find(path) if element is not None else None
    return (found.text or "").strip() if found is not None else ""


def children(element: Element | None, *names: str) -> Iterator[Element]:
    """Give the children with one of these names."""
    return (child for child in (element if element is not None else ()) if child.tag in names)
