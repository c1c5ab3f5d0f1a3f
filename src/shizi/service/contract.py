"""The contract: what each route takes and gives, said once beside the route and read by `openapi`.

`describes` hangs a `Description` on a route's function: a model of `answers`, and the `schemas` of what comes. The
tests hold every answer against it, so a route cannot drift from what is said of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask.typing import ResponseReturnValue
from pydantic import BaseModel

from shizi.service.answers import Refusal
from shizi.service.settings import Settings

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


@dataclass(frozen=True, slots=True)
class Description:
    """What a route takes and gives. `answer`: a model, or a media type (`*/*`: any); `bodies`: schema by media type,
    by what the settings allow.

    `also`: media types it may be of too; `status`: that of success; `refusals`: those of errors, beside what every
    route may answer.
    """

    answer: type[BaseModel] | str
    status: int = 200
    refusals: tuple[int, ...] = ()
    refusal: type[BaseModel] = Refusal
    bodies: Callable[[Settings], Mapping[str, Any]] = lambda _: {}
    query: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()


def describes(answer: type[BaseModel] | str, **rest: Any) -> Callable[[View], View]:
    """Hang a `Description` on a route's function."""

    def hang(view: View) -> View:
        view.description = Description(answer, **rest)  # type: ignore[attr-defined]
        return view

    return hang
