"""The web page `/ocr/webui`: one page that uses the public HTTP API like anyone.

Gives the page in the browser's language. Holds no OCR knowledge and no state; what the page does is in
`static/webui.js`, its words in `texts.py`.
"""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

import shizi
from shizi.export import FORMATS
from shizi.options import CHOICES, ReadOptions
from shizi.service.api import service
from shizi.service.texts import LANGUAGES, TEXTS

web = Blueprint("web", __name__)

# Nothing from another host, no inline script or style; blob: is the picture the visitor chose, data:
# Bootstrap's icons.
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# The options a visitor is asked; how deep the result goes makes no difference on this page.
_ASKED = ("mode", "enhance", "orientation")


@web.get("/")
@web.get("/ocr/")
def home() -> ResponseReturnValue:
    """Lead whoever types the bare address to the page."""
    return redirect(url_for("web.webui"))


@web.get("/ocr/webui")
def webui() -> ResponseReturnValue:
    """Give the page in Chinese or English: `?lang=zh|en`, else by the browser's languages."""
    language = request.args.get("lang", "")
    if language not in LANGUAGES:
        language = request.accept_languages.best_match(LANGUAGES, default="en")
    defaults = ReadOptions()
    page = render_template(
        "webui.html",
        language=language,
        texts=TEXTS[language],
        version=shizi.__version__,
        max_bytes=service().settings.max_bytes,
        formats={name: form.suffix for name, form in FORMATS.items()},
        choices={name: (CHOICES[name], getattr(defaults, name)) for name in _ASKED},
    )
    response = make_response(page)
    response.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
    response.headers["Vary"] = "Accept-Language"
    return response
