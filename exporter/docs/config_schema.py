"""The JSON Schema of the configuration, draft 2020-12, from its models and the comments of config.example.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from exporter.config import Config, duration_text
from exporter.docs.key_comments import KeyPath, key_comments


class _Generator(GenerateJsonSchema):
    """Leaves out titles, which only repeat the names of keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        return False


def config_schema(example: str) -> dict[str, Any]:
    """Return the schema.

    Args:
        example: config.example.yaml, whose comments become descriptions.
    """
    generated = Config.model_json_schema(schema_generator=_Generator)
    definitions: dict[str, dict[str, Any]] = {**generated.pop("$defs"), Config.__name__: generated}
    for definition in definitions.values():
        del definition["title"]
        definition.pop("description", None)  # docstrings are about the code
        for schema in definition["properties"].values():
            schema.pop("discriminator", None)  # not a word of JSON Schema
            _show_default(schema)
    for path, comment in key_comments(example).items():
        keys = [definitions[model.__name__]["properties"].get(path[-1]) for model in _models_at(path[:-1])]
        described = [schema for schema in keys if schema is not None]
        if len(described) == 1:  # the types of credentials share a key that means another thing in each
            described[0].setdefault("description", comment)
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": "Configuration of drs-exporter",
        **definitions.pop(Config.__name__),
        "$defs": definitions,
    }


def _show_default(schema: dict[str, Any]) -> None:
    """Write a default as users write it; one that only means "not set" is left out."""
    default = schema.get("default")
    if default is None or isinstance(default, dict):
        schema.pop("default", None)
    elif isinstance(default, float) and "anyOf" in schema:
        schema["default"] = duration_text(default)


def _models_at(path: KeyPath) -> Iterator[type[BaseModel]]:
    """Yield the models of the values at a path; none where a secret is, which is no model."""
    models: list[type[BaseModel]] = [Config]
    for key in path:
        fields = [field for model in models for name, field in model.model_fields.items() if key in {name, field.alias}]
        models = [found for field in fields for found in _models_in(field.annotation)]
    yield from models


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
