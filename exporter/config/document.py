"""Reads a YAML file into plain data with line numbers, and reports where the file is wrong.

It depends on YAML, not on the schema. No message quotes a value, because any value may be a secret, or a secret in the
wrong place. Keys are quoted only where they can't be secrets.
"""

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

import yaml

Loc = tuple[str | int, ...]
"""The path of a value: keys and list indices from the top level."""

_MAX_BYTES = 1 << 20
_MAX_VALUES = 100_000  # with aliases expanded, so that a few nested ones can't fill the memory

_YAML = "tag:yaml.org,2002:"
_MERGE = f"{_YAML}merge"
# Dates are read as text, and so are "=" and "<<" as values, for which YAML 1.1 has types of their own.
_TEXT_TAGS = {_YAML + name for name in ("str", "timestamp", "value", "merge")}
_TAGS = _TEXT_TAGS | {_YAML + name for name in ("null", "bool", "int", "float", "map", "seq")}

QUOTABLE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")
"""Keys that a message may quote."""
_QUOTED_NAME = re.compile("(alias|anchor|handle) .*")  # all that PyYAML quotes of the file, but for single letters
_YAML_REMEDIES = {
    "alias": "quote a value that begins with *",
    "anchor": "quote a value that begins with &",
    "handle": "quote a value that begins with !",
    "single document": "keep one document only",
    "\\t": "indent with spaces, not tabs",
    "": "check the quotes and the indentation here and above, and quote a value that contains ': ' or ' #'",
}


class ConfigError(ValueError):
    """The configuration can't be used. The text is for the user: a line for each error, with the remedy, no secret."""


class NotReadyError(ConfigError):
    """The configuration may be right, but a file, variable or address that it names is not available now."""


@dataclass
class Document:
    """Plain data with the lines of the file, and the errors that were found in it.

    Attributes:
        data: mappings, lists and scalars, not yet validated.
        name: the file name as the user wrote it; empty if there is no file: messages then contain the path alone.
        lines: the line of every key and list item, from 1.
    """

    data: object = field(repr=False)
    name: str = ""
    lines: dict[Loc, int] = field(default_factory=dict)
    _errors: list[tuple[int, str]] = field(default_factory=list)
    _wrong: bool = False
    """True if an error is more than a file, variable or address that is not available now."""

    def add_error(self, loc: Loc, text: str, line: int | None = None, *, not_ready: bool = False) -> None:
        """Add an error at a path. The line is that of the path, else that of the section around it."""
        self._wrong = self._wrong or not not_ready
        if line is None:
            line = next((self.lines[loc[:n]] for n in range(len(loc), 0, -1) if loc[:n] in self.lines), 1)
        position = f"{self.name}:{line}: " if self.name else ""
        path = f"{path_text(loc)}: " if loc else ""
        self._errors.append((line, f"{position}{path}{text}"))

    @property
    def has_errors(self) -> bool:
        """True if any error was added."""
        return bool(self._errors)

    def error(self) -> ConfigError:
        """Return all errors as one, in the order of the file; `NotReadyError` if the file itself is right."""
        in_order = [text for _, text in sorted(self._errors, key=lambda error: error[0])]
        kind = ConfigError if self._wrong else NotReadyError
        return kind("\n".join(dict.fromkeys(in_order)))


def path_text(loc: Loc) -> str:
    """Return a path as text: `accounts[0].credentials.type`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")


def read_text(path: Path, limit: int, *, pipe: bool = True) -> str:
    """Read a UTF-8 file of at most `limit` bytes.

    Args:
        path: of the file.
        limit: in bytes.
        pipe: whether it may be a pipe or a device, which may never end.

    Raises:
        NotReadyError: the file can't be read now. The text contains the reason, not the file's name.
        ConfigError: its content is not text, or too large.
    """
    try:
        with open(path, "rb", opener=None if pipe else _open_without_waiting) as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            raw = file.read(limit + 1) if pipe or regular else None
    except IsADirectoryError:
        raise ConfigError("is a directory, not a file") from None
    except OSError as error:
        raise NotReadyError(f"cannot be read: {error.strerror}") from None
    except ValueError:
        raise ConfigError("cannot be read: not a file name") from None  # such as one with a null character
    if raw is None:
        raise ConfigError("is a pipe or a device, not a file")
    if len(raw) > limit:
        raise ConfigError(f"is larger than {limit // 1024} KiB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"is not UTF-8 text (byte {error.start + 1}): save it as UTF-8") from None


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def read_document(path: Path) -> Document:
    """Read one YAML document; an empty file is an empty mapping.

    Errors that do not prevent reading the rest (a duplicate key, a tag) are added to the document.

    Raises:
        NotReadyError: the file can't be read now.
        ConfigError: it isn't YAML, or is too large.
    """
    document = Document(data={}, name=str(path))
    try:
        text = read_text(path, _MAX_BYTES)
        root = yaml.compose(text, yaml.SafeLoader)
        if root is not None:
            document.data = _Builder(document).value(root, ())
    except ConfigError as error:
        raise type(error)(f"{path}: {error}") from None
    except RecursionError:
        raise ConfigError(f"{path}: is nested too deeply") from None
    except yaml.MarkedYAMLError as error:
        raise ConfigError(f"{path}:{_yaml_problem(error)}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{path}:{line}: not valid YAML: a control character; remove it") from None
    except (ValueError, OverflowError):
        raise ConfigError(f"{path}: not valid YAML: the number in a \\U escape or %YAML line is too large") from None
    return document


def _yaml_problem(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark
    position = f"{mark.line + 1}:{mark.column + 1}: " if mark else " "
    problem = ", ".join(part for part in (error.context, error.problem) if part)
    remedy = next(remedy for sign, remedy in _YAML_REMEDIES.items() if sign in problem)
    unnamed = _QUOTED_NAME.sub(r"\1", problem)
    return f"{position}not valid YAML: {unnamed}; {remedy}"


class _Builder:
    """Converts a tree of YAML nodes to plain data, and adds lines and errors to the document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._values = 0
        self._scalars = yaml.constructor.SafeConstructor()

    def value(self, node: yaml.Node, loc: Loc) -> object:
        self._values += 1
        if self._values > _MAX_VALUES:
            raise ConfigError(f"has more than {_MAX_VALUES} values, with aliases expanded")
        if node.tag not in _TAGS:
            self._error(loc, "YAML tags are not supported; quote a value that begins with !")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, loc)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, (*loc, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, loc)

    def _item(self, node: yaml.Node, loc: Loc) -> object:
        self._document.lines[loc] = node.start_mark.line + 1
        return self.value(node, loc)

    def _mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[str, object]:
        result: dict[str, object] = {}
        first_lines: dict[str, int] = {}
        # Merges (<<) first, so that the mapping's own keys win over them.
        for key, value in sorted(node.value, key=lambda pair: bool(pair[0].tag != _MERGE)):
            line = key.start_mark.line + 1
            if key.tag == _MERGE:
                result |= self._merged(value, loc)
                continue
            if not isinstance(key, yaml.ScalarNode) or key.tag not in _TEXT_TAGS:
                self._error(loc, "a key must be text: quote it", line)
                continue
            name = _encodable(key.value)
            key_loc = (*loc, name)
            if name in first_lines:
                self._error(key_loc, f"duplicate key, first set on line {first_lines[name]}", line)
            first_lines.setdefault(name, line)
            self._document.lines[key_loc] = line
            result[name] = self.value(value, key_loc)
        return result

    def _merged(self, node: yaml.Node, loc: Loc) -> dict[str, object]:
        result: dict[str, object] = {}
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in reversed(sources):  # the first one wins
            data = self.value(source, loc)
            if isinstance(data, dict):
                result |= data
            else:
                self._error(loc, "<< takes a mapping, or a list of them", source.start_mark.line + 1)
        return result

    def _scalar(self, node: yaml.Node, loc: Loc) -> object:
        if node.tag in _TEXT_TAGS or node.tag not in _TAGS:
            text = _encodable(node.value)
            if text != node.value:
                self._error(loc, "contains half a surrogate pair, which is no character")
            return text
        if ":" in node.value:  # YAML 1.1 reads a number to the base of 60, which no user intends
            self._error(loc, "quote a value with a colon, or write a duration such as 1h30m", node.start_mark.line + 1)
            return node.value
        try:
            return self._scalars.construct_object(node)
        except (ValueError, LookupError, OverflowError):
            self._error(loc, "not a value that YAML can read: quote it if it is text", node.start_mark.line + 1)
            return node.value

    def _error(self, loc: Loc, text: str, line: int | None = None) -> None:
        self._document.add_error(_without_secrets(loc), text, line)


def _encodable(text: str) -> str:
    """Replace lone surrogates, which YAML can express and on which pydantic and output streams fail."""
    return text.encode("utf-8", "replace").decode()


def _without_secrets(loc: Loc) -> Loc:
    """Cut a path where a secret may be in the place of a key."""
    for index, part in enumerate(loc):
        if part in {"credentials", "basic_auth_users"}:
            return loc[: index + 1]
        if isinstance(part, str) and not QUOTABLE_KEY.fullmatch(part):
            return loc[:index]
    return loc
