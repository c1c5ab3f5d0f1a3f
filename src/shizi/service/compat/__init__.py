"""Drop-in endpoints: the routes, bodies and answers of OCR services that people already call, one file a service.

Each takes its service's requests and gives its answers and its error codes, exactly as the page named in its header
tells; all read through `door`. Where shizi cannot do what a request asks, the answer is an error of that service,
never another result. Under `/compat/NAME/`, and at the root too for the one that `SHIZI_COMPAT_ROOT` names.
"""

from flask import Blueprint, Flask

from shizi.service.compat import baidu, paddlex, rapidocr, umi

SERVICES: dict[str, Blueprint] = {
    "rapidocr": rapidocr.routes,
    "umi": umi.routes,
    "paddlex": paddlex.routes,
    "baidu": baidu.routes,
}
# Endpoints that need no key, or check it in their service's own way.
_OPEN_HERE = {
    "rapidocr": {"rapidocr.welcome"},
    "umi": {"umi.options", "umi.document_options", "umi.fetch"},
    "paddlex": {"paddlex.health"},
    "baidu": {f"baidu.{name}" for name in ("token", "text", "vat_invoice", "table", "unknown")},
}
OPEN = {f"{prefix}{name}" for names in _OPEN_HERE.values() for name in names for prefix in ("", "root_")}


def register(app: Flask, root: str) -> None:
    """Add the routes of all services to `app`, those of the service called `root` at / as well."""
    for name, routes in SERVICES.items():
        if name == root:
            app.register_blueprint(routes, name=f"root_{name}")
        app.register_blueprint(routes, url_prefix=f"/compat/{name}")
