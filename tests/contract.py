"""Holds answers against what their routes say of themselves; for every application a test makes."""

from flask import Response, current_app, request

from shizi.service.contract import Description


def keep_to_the_contract(response: Response) -> Response:
    """Hold an answer against what its route's `Description` says; so every test of a route tests its description."""
    view = current_app.view_functions.get(request.endpoint or "")
    told: Description | None = getattr(view, "description", None)
    if told is None or request.method == "OPTIONS":
        return response
    if response.status_code == told.status:
        if response.content_type != "application/json" and told.also:
            assert response.content_type in told.also
        elif isinstance(told.answer, str):
            assert told.answer in ("*/*", response.content_type)
        else:
            told.answer.model_validate_json(response.get_data())
    else:
        assert response.status_code in told.refusals, f"{response.status_code} is not said of {request.path}"
        told.refusal.model_validate_json(response.get_data())
    return response
