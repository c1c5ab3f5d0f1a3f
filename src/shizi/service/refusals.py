"""Refusals: whatever goes wrong in a request becomes one `ShiziError`, whose shape each door writes in its own way.

Takes the exceptions of Flask and Werkzeug and our own, gives a `ShiziError`. A defect is logged by its kind and
place alone: its message may hold recognised text.
"""

import logging
import traceback
from typing import Any

from flask import current_app, g
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge
from werkzeug.routing.exceptions import WebsocketMismatch

from shizi.errors import InputError, ShiziError, TooLarge
from shizi.service.bodies import too_large_message

log = logging.getLogger(__name__)


def error_values(error: ShiziError) -> dict[str, Any]:
    """Give an error as the answer carries it, without the request's id."""
    return {"success": False, "error": error.message, "code": error.code}


def note(code: str) -> None:
    """Let the log's row and the metrics of the current request tell why it was refused, by the error's `code`."""
    g.cause = code
    current_app.extensions["shizi"].metrics.refused(code)


def translate(error: Exception) -> ShiziError:
    """Give the error to answer for `error`; a defect of ours is logged and says nothing of itself."""
    if isinstance(error, ShiziError):
        return error
    if isinstance(error, RequestEntityTooLarge):
        return TooLarge(too_large_message(current_app.extensions["shizi"].settings.max_bytes))
    if isinstance(error, ClientDisconnected):
        return InputError("The body is cut short or malformed; send the request again.")
    if isinstance(error, WebsocketMismatch):
        return InputError("A WebSocket was asked for; expected a plain HTTP request, without the header Upgrade.")
    if isinstance(error, HTTPException):
        return InputError(f"The request cannot be understood: {error.name}.")
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames[-8:]))
    log.error("failed %s: %s at %s", g.request_id, type(error).__name__, places)
    return ShiziError(f"The service failed; its log tells more under request {g.request_id}.")
