"""Allow lists: the keys and words of the cloud's responses that may be shown to strangers."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from itertools import chain

from exporter.cloud import v3, v5  # noqa: F401 - they import all wire models
from exporter.cloud.wire.fields import Wire
from exporter.model.task import STATUSES


def _keys_of(model: type[Wire]) -> Iterator[str]:
    """The keys that wire models of DRS read; those of IAM and the metadata service are not for strangers."""
    for derived in model.__subclasses__():
        if derived.__module__.startswith(Wire.__module__.rpartition(".")[0]):
            for name, field in derived.model_fields.items():
                alias = field.validation_alias
                yield from map(str, getattr(alias, "choices", [alias or name]))
        yield from _keys_of(derived)


_LISTS = tomllib.loads((files(__package__) / "known_words.toml").read_text())
KEYS = frozenset({*_LISTS["keys"].split(), *_keys_of(Wire)})
LABEL_WORDS: Mapping[str, tuple[str, ...]] = {name: tuple(words.split()) for name, words in _LISTS["words"].items()}
"""Documented words by the metric that has them as a label; further words under `other`."""
WORDS = frozenset({*chain.from_iterable(LABEL_WORDS.values()), *STATUSES})
WORD_KEYS, OBJECT_KEYS, VALUE_KEYS, IDENTIFIER_KEYS = (
    frozenset(_LISTS[name].split()) for name in ("word_keys", "object_keys", "value_keys", "identifier_keys")
)
"""The comments in known_words.toml describe each list."""
