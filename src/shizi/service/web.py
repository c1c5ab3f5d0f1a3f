"""The web pages `/ocr/webui` and `/ocr/webui/status`: they use the public HTTP API like anyone.

Gives the pages in the browser's language. Holds no OCR knowledge and no state; what the pages do is in `static/webui/`,
their words in `texts/`.
"""

import gzip
from importlib.util import find_spec
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

import shizi
from shizi.export import FORMATS, Format
from shizi.options import CHOICES, ReadOptions
from shizi.service.api import service
from shizi.service.assets import asset, modules
from shizi.service.texts import LANGUAGES, TEXTS

web = Blueprint("web", __name__)

# Nothing from another host, no inline script or style; blob: is the picture the visitor chose, data:
# Bootstrap's icons.
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; worker-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_QUICK = 5  # of 9: half a millisecond for a page
_ACCEPTED = "image/*,application/pdf,.pdf,.tif,.tiff,.ofd,.xml,.heic,.heif,.webp"
# The options a visitor is asked; how deep the result goes makes no difference on this page.
_ASKED = ("mode", "tables", "fields", "enhance", "orientation", "pdf")


@web.get("/")
@web.get("/ocr/")
def home() -> ResponseReturnValue:
    """Lead whoever types the bare address to the page."""
    return redirect(url_for("web.webui"))


@web.get("/ocr/webui")
def webui() -> ResponseReturnValue:
    """Give the page in Chinese or English: `?lang=zh|en`, else by the browser's languages."""
    settings = service().settings
    defaults = ReadOptions()
    return _page(
        "webui.html",
        {
            "maxBytes": settings.max_bytes,
            "jobBytes": settings.job_bytes if settings.jobs else 0,
            "formats": {name: form.suffix for name, form in FORMATS.items() if _can_be_written(form)},
            "predict": url_for("api.predict"),
            "jobs": url_for("jobs.submit"),
            "picture": url_for("pictures.picture"),
            "export": url_for("exports.export"),
            "health": url_for("api.health"),
            "corrections": _corrections(),
        },
        accept=_ACCEPTED,
        choices={name: (CHOICES[name], getattr(defaults, name)) for name in _ASKED},
    )


@web.get("/ocr/webui/status")
def status() -> ResponseReturnValue:
    """Give the operator's page: what `/metrics` says, as charts."""
    return _page("status.html", {"metrics": url_for("metrics.metrics"), "ready": url_for("api.ready")})


def _corrections() -> str:
    """Give where corrected lines are kept for the recogniser to learn from; '' where the operator keeps none."""
    return url_for("corrections.correct_line") if service().corrections is not None else ""


def _can_be_written(form: Format) -> bool:
    return form.extra is None or find_spec(form.extra[0]) is not None


def _page(template: str, facts: dict[str, Any], **values: Any) -> ResponseReturnValue:
    language = request.args.get("lang", "")
    if language not in LANGUAGES:
        language = request.accept_languages.best_match(LANGUAGES, default="en")
    texts = TEXTS[language]
    page = render_template(
        template, texts=texts, version=shizi.__version__, facts=facts, asset=asset, modules=modules(), **values
    )
    response = make_response(page)
    if request.accept_encodings.find("gzip") >= 0:
        response.set_data(gzip.compress(page.encode(), _QUICK, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
    response.headers["Vary"] = "Accept-Encoding, Accept-Language"
    return response
