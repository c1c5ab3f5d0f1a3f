"""Prints the service's description as the SDKs' types are made of: that of a service that takes jobs."""

import json
import tempfile
from typing import Any

from fakes import FakeReader

from shizi.service.app import create_app
from shizi.service.openapi import describe
from shizi.service.settings import Settings


def description() -> dict[str, Any]:
    """Give the OpenAPI description of a service with all it can have."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(jobs=folder, keys=f"{folder}/keys"), FakeReader())  # type: ignore[arg-type]
        try:
            with app.test_request_context():
                return describe(app)
        finally:
            app.extensions["shizi"].close()


if __name__ == "__main__":
    print(json.dumps(description(), ensure_ascii=False))
