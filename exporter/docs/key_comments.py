"""The comments of config.example.yaml by key: the one place that describes the keys of the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

_OPTIONAL = re.compile(r"^( *)#(?=[a-z-])", re.MULTILINE)
"""As the file itself explains: "#" and no space is an optional key."""
_COMMENT = re.compile(r"(?:^| )# +(.*)")

KeyPath = tuple[str, ...]
"""The keys from the top level to a key, without the indices of lists."""


def with_optional_keys(example: str) -> str:
    """Return the example with its optional keys, which are comments in the file."""
    return _OPTIONAL.sub(r"\1", example)


def key_comments(example: str) -> dict[KeyPath, str]:
    """Return what the example says about each key: behind it and in the next lines, else in the lines above it."""
    text = with_optional_keys(example)
    lines = text.split("\n")
    comments: dict[KeyPath, str] = {}
    for path, line in _keys(yaml.compose(text), ()):
        if comment := _behind(lines, line) or _above(lines, line):
            comments.setdefault(path, comment)
    return comments


def _keys(node: yaml.Node | None, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    """Yield each key of a document with the number of its line, from 0."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _keys(item, path)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, key.value), key.start_mark.line
            if value.start_mark.line != key.start_mark.line:  # a comment behind `{...}` is about the key before it
                yield from _keys(value, (*path, key.value))


def _behind(lines: list[str], line: int) -> str:
    found = _COMMENT.search(lines[line])
    if not found:
        return ""
    texts = [found[1]]
    for following in lines[line + 1 :]:
        if following.find("#") < found.start() or not (more := _COMMENT.fullmatch(following.strip())):
            break
        texts.append(more[1])
    return " ".join(texts)


def _above(lines: list[str], line: int) -> str:
    texts: list[str] = []
    while line and (found := _COMMENT.fullmatch(lines[line - 1].strip())):
        texts.insert(0, found[1])
        line -= 1
    return " ".join(texts)
