"""JSON values become the types of `models`. Keys that a newer service adds are passed over."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from shizi_client.errors import UnexpectedAnswer

Model = TypeVar("Model")


def decode(kind: type[Model], values: object) -> Model:
    """Give the model of this kind that `values` are. Raises UnexpectedAnswer where they are not."""
    try:
        decoded: Model = _decode(kind, values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnexpectedAnswer(
            f"The answer is no {kind.__name__} ({type(error).__name__}: {error}); is this a shizi of this version?"
        ) from error
    return decoded


@cache
def _hints(kind: type) -> Mapping[str, tuple[Any, bool]]:
    hints = get_type_hints(kind)
    return {field.name: (hints[field.name], field.default is dataclasses.MISSING) for field in dataclasses.fields(kind)}


def _decode(kind: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(kind):
        wanted = _hints(kind)  # type: ignore[arg-type]
        taken = {name: _decode(hint, value[name]) for name, (hint, needed) in wanted.items() if needed or name in value}
        return kind(**taken)  # type: ignore[operator]
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _decode_union(inner, value)
    if origin is tuple and isinstance(value, list):
        kinds = [inner[0]] * len(value) if inner[-1] is ... else inner
        return tuple(_decode(one, part) for one, part in zip(kinds, value, strict=True))
    if origin is dict:
        return {name: _decode(inner[1], part) for name, part in value.items()}
    if origin is Literal:
        return value  # a newer service may know more
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise TypeError(f"{type(value).__name__} in place of {kind.__name__ if isinstance(kind, type) else kind}")
    return value


def _decode_union(kinds: tuple[Any, ...], value: Any) -> Any:
    if value is None and type(None) in kinds:
        return None
    if type(value) in kinds:
        return value
    [other] = [kind for kind in kinds if kind is not type(None) and not (kind is str and type(value) is not str)]
    return _decode(other, value)
