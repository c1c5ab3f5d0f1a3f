"""Logs: one JSON object a row on standard error, with the request's id, method, route, status and time.

No row holds a picture's text, a file's name, a key or a message: what a caller sends never becomes part of one, so no
caller can forge a row. Takes the standard library's records; whoever starts the process sets it up.
"""

import datetime
import json
import logging
import sys
from typing import Any

_LEVELS = {"WARNING": "warning", "ERROR": "error", "CRITICAL": "error"}


class JsonRows(logging.Formatter):
    """Writes a record as one row of JSON; what was passed as `extra={"row": {...}}` becomes keys of it."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one row."""
        when = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        values: dict[str, Any] = {
            "time": when.isoformat(timespec="milliseconds"),
            "level": _LEVELS.get(record.levelname, "info"),
            "event": record.getMessage(),
        }
        values |= getattr(record, "row", {})
        return json.dumps(values, ensure_ascii=False, default=str)


def set_up() -> None:
    """Send every record of this process from INFO on to standard error, as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonRows())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
