"""Markdown of the documents that are made from the code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from exporter.cloud.operations import Operation

_ROLE, _NONE = "role", "none"
PERMISSIONS = (
    f'`{_ROLE}` is the system role "DRS ReadOnlyAccess". Where IAM has to allow an action as well, its name follows. '
    f"`{_NONE}`: the vendor documents no permission."
)


def document(*paragraphs: str) -> str:
    """A document of these paragraphs."""
    return "\n\n".join(paragraphs) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with these cells."""
    return "\n".join((_row(head), "|---" * len(head) + "|", *map(_row, rows)))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def words(names: Iterable[str]) -> str:
    """Names in code, with commas."""
    return ", ".join(f"`{name}`" for name in names)


def permissions(operations: Iterable[Operation]) -> str:
    """The permissions that operations need, by API generation if there are several."""
    needed: dict[str, dict[str, None]] = {}
    for operation in operations:
        needed.setdefault(operation.api, {}).update(dict.fromkeys(_permissions_of(operation)))
    texts = {api: ", ".join(names) for api, names in needed.items()}
    return "; ".join(f"{api}: {text}" if len(texts) > 1 else text for api, text in texts.items())


def _permissions_of(operation: Operation) -> list[str]:
    if operation.api == "v5":
        return [_NONE]
    return [_ROLE, f"`{operation.action}`"] if operation.action else [_ROLE]
