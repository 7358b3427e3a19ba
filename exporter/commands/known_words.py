"""Allow lists: the keys and words of the cloud's responses that may be shown to strangers."""

from __future__ import annotations

import tomllib
from importlib.resources import files

_LISTS = tomllib.loads((files(__package__) / "known_words.toml").read_text())
KEYS, WORDS, WORD_KEYS, OBJECT_KEYS, VALUE_KEYS = (
    frozenset(_LISTS[name].split()) for name in ("keys", "words", "word_keys", "object_keys", "value_keys")
)
"""The comments in known_words.toml say what each list has."""
