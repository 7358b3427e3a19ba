"""Converts pydantic's errors to errors of a document: path and line in the file, allowed values, remedy.

It depends on pydantic, not on the schema. Like the errors of document.py, its errors never quote a value.
"""

import difflib
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from exporter.config.document import QUOTABLE_KEY, Document, Loc, NotReadyError

# In place of pydantic's texts that are about Python or less clear.
_TEXTS = {
    "missing": "required key is missing",
    "literal_error": "expected {expected}",
    "string_type": "expected text",
    "is_instance_of": "expected text",
    "path_type": "expected text",
    "invalid_key": "a key must be text",
    "bool_type": "expected true or false",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "finite_number": "expected a finite number",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "tuple_type": "expected a list, {example}",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "dict_type": "expected keys with values",
    "value_error": "{error}",
}

_SECTIONS = {"model_type", "model_attributes_type"}
_ON = {"true", "on", "yes", "enabled"}
_SWITCHES = _ON | {"false", "off", "no", "disabled"}


def add_schema_errors(document: Document, model: type[BaseModel], error: ValidationError) -> None:
    """Add all errors of a pydantic model to the document, in words for the user."""
    for detail in error.errors(include_url=False):
        kind, given = detail["type"], detail["input"]
        loc, models = _walk(model, detail["loc"])
        if kind == "extra_forbidden":
            _add_unknown_key(document, loc, models[0])
        elif kind.startswith("union_tag"):
            wrong = "expected" if kind == "union_tag_invalid" else "required key is missing, expected"
            document.add_error((*loc, "type"), f"{wrong} one of {', '.join(map(_tag, models))}")
        elif kind in _SECTIONS and given is not None:
            document.add_error(loc, _section_text(str(loc[-1]) if loc else "", models, given))
        elif kind != "too_short" or not given:  # else each of its items has an error of its own
            context = detail.get("ctx", {})
            not_ready = isinstance(context.get("error"), NotReadyError)
            document.add_error(loc, _error_text(kind, given, context), not_ready=not_ready)


def _section_text(name: str, models: list[type[BaseModel]], given: object) -> str:
    """Return what to write in place of a value that is not a mapping."""
    if len(models) > 1:
        return f"expected keys with values, such as type: {_tag(models[0])}"
    keys = _keys(models[0])
    if "enabled" in keys and (isinstance(given, bool) or str(given).lower() in _SWITCHES):
        switch = str(given).lower() in _ON
        return f"expected keys with values: write {name}: {{enabled: {str(switch).lower()}}}"
    if "enabled" in keys and "interval" in keys:
        return f"expected keys with values: write {name}: {{interval: 5m}}, or {name}: {{enabled: true}}"
    return f"expected keys with values (allowed: {', '.join(keys)})"


def _walk(model: type[BaseModel], loc: Loc) -> tuple[Loc, list[type[BaseModel]]]:
    """Return the path in the file, and the model at its end: several if the key `type` selects one of them."""
    path: Loc = ()
    models = [model]
    for part in loc:
        if len(models) > 1:  # pydantic adds the selected type to its path; the file has no such key
            models = [choice for choice in models if _tag(choice) == part]
            continue
        path = (*path, part)
        if isinstance(part, str) and part in models[0].model_fields:
            models = list(_models_in(models[0].model_fields[part].annotation)) or models
    return path, models


def _keys(model: type[BaseModel]) -> list[str]:
    return sorted(field.alias or name for name, field in model.model_fields.items())


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _tag(model: type[BaseModel]) -> str:
    return str(get_args(model.model_fields["type"].annotation)[0])


def _add_unknown_key(document: Document, loc: Loc, model: type[BaseModel]) -> None:
    key, allowed = str(loc[-1]), _keys(model)
    near = difflib.get_close_matches(key, allowed, n=1)
    section = _section_of(key, model)
    hint = f"; did you mean {near[0]}?" if near else f"; it belongs under {section}" if section else ""
    if ":" in key:
        hint = "; a colon needs a space after it"
    # In other sections a key is only a typing error; in credentials it may be a secret in the wrong place.
    quotable = QUOTABLE_KEY.fullmatch(key) and (near or "credentials" not in loc)
    shown, text = (loc, "unknown key") if quotable else (loc[:-1], "has an unknown key")
    document.add_error(shown, f"{text}{hint} (allowed: {', '.join(allowed)})", document.lines.get(loc))


def _section_of(key: str, model: type[BaseModel]) -> str:
    """Return the sections of a model that have the key; empty if none has it."""
    found = [
        name
        for name, field in model.model_fields.items()
        for section in _models_in(field.annotation)
        if key in section.model_fields
    ]
    return " or ".join(dict.fromkeys(found))


def _error_text(kind: str, given: object, context: dict[str, Any]) -> str:
    if given is None and kind != "missing":
        return "is empty: give it a value or remove the key"
    example = "whose items begin with '- '" if isinstance(given, dict) else "such as [a, b]"
    text = _TEXTS.get(kind, "is not valid").format(**context, example=example)
    if kind == "literal_error":
        return text.replace("'", "")
    if text == "expected text" and isinstance(given, bool | int | float):
        read_as = "true or false" if isinstance(given, bool) else "a number"
        return f"{text}, but YAML reads this value as {read_as}: quote it"
    return text
