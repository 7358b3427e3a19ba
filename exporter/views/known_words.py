"""Allow lists: the keys and words of the cloud's responses that may be shown to strangers."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from itertools import chain

from exporter.cloud import v3, v5  # noqa: F401 - they import all wire models
from exporter.cloud.api_fields import FIELDS
from exporter.cloud.wire.models import keys_of, wire_models
from exporter.model.task import STATUSES

_LISTS = tomllib.loads((files(__package__) / "known_words.toml").read_text())
_READ = {key for model in wire_models() for keys in keys_of(model).values() for key in keys}
KEYS = frozenset({*_LISTS["keys"].split(), *FIELDS, *_READ})
LABEL_WORDS: Mapping[str, tuple[str, ...]] = {name: tuple(words.split()) for name, words in _LISTS["words"].items()}
"""Documented words by the metric that has them as a label; further words under `other`."""
WORDS = frozenset({*chain.from_iterable(LABEL_WORDS.values()), *STATUSES})
WORD_KEYS, OBJECT_KEYS, VALUE_KEYS, IDENTIFIER_KEYS = (
    frozenset(_LISTS[name].split()) for name in ("word_keys", "object_keys", "value_keys", "identifier_keys")
)
"""The comments in known_words.toml describe each list."""
