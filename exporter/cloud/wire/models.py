"""The wire models of DRS that are imported, and the keys that they read; documents and allow lists follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exporter.cloud.wire.fields import Wire

_PACKAGE = __name__.rpartition(".")[0]


def wire_models(base: type[Wire] = Wire) -> Iterator[type[Wire]]:
    """Return all wire models of responses of DRS; not those of IAM and of the metadata service."""
    for model in base.__subclasses__():
        if model.__module__.startswith(_PACKAGE):
            yield model
        yield from wire_models(model)


def keys_of(model: type[Wire]) -> Mapping[str, tuple[str, ...]]:
    """Return the keys of the API by the field of a wire model that reads them."""
    aliases = {name: field.validation_alias for name, field in model.model_fields.items()}
    return {name: tuple(map(str, getattr(alias, "choices", [alias or name]))) for name, alias in aliases.items()}
