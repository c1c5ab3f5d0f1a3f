"""Assets: the files of the web page, compressed, under addresses that change with their content.

Gives each file of `static/` under `/ocr/assets/<digest of all of them>/`, so that browsers may keep it for good and an
upgrade is seen at once; modules find each other by relative names and so come from one and the same version.
"""

import gzip
import hashlib
import mimetypes
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, abort, request, url_for
from flask.typing import ResponseReturnValue

assets = Blueprint("assets", __name__, url_prefix="/ocr/assets")

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain"}
_APART = ("early.js", "thumbnail-worker.js")  # loaded in other ways
_A_YEAR = "public, max-age=31536000, immutable"


def asset(name: str) -> str:
    """Give the address of a file of the web page."""
    return url_for("assets.file", version=digest(), name=name)


@lru_cache(maxsize=1)
def digest() -> str:
    """Give what names the files as they are now; the API's page, which is vendored whole, is left out."""
    whole = hashlib.sha256()
    for path in sorted(_FOLDER.rglob("*")):
        if path.is_file() and "swagger" not in path.parts:
            whole.update(path.relative_to(_FOLDER).as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:12]


@lru_cache(maxsize=1)
def modules() -> tuple[str, ...]:
    """Name the modules of the reading page, which a browser is told of at once: each is found by another only."""
    return tuple(f"webui/{path.name}" for path in sorted((_FOLDER / "webui").glob("*.js")) if path.name not in _APART)


@assets.get("/<version>/<path:name>")
def file(version: str, name: str) -> ResponseReturnValue:
    """Give a file. An address of another version, from a page loaded before an upgrade, is not kept."""
    try:
        path = (_FOLDER / name).resolve(strict=True)
    except (OSError, ValueError):
        abort(404)
    if not path.is_relative_to(_FOLDER.resolve()) or not path.is_file():
        abort(404)
    plain, packed = _content(path, path.stat().st_mtime_ns)
    small = request.accept_encodings.find("gzip") >= 0 and len(packed) < len(plain)
    response = Response(packed if small else plain, content_type=_type(path))
    if small:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = _A_YEAR if version == digest() else "no-cache"
    return response


@lru_cache(maxsize=200)
def _content(path: Path, changed: int) -> tuple[bytes, bytes]:
    """Give a file's bytes, plain and packed: packed once, not once a visitor."""
    plain = path.read_bytes()
    return plain, gzip.compress(plain, 9, mtime=0)


def _type(path: Path) -> str:
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
