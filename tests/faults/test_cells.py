"""The command query x every kind of fault; and every combination of operation and fault is tested or excluded."""

from __future__ import annotations

import pytest

from exporter.cloud import operations
from exporter.cloud.operations import OPERATIONS
from exporter.commands.query import query
from tests.faults import test_access, test_matrix, test_pages, test_skew, test_unpublished
from tests.faults.fleet import account, cloud, config, id_of
from tests.faults.kinds import CANARY, KINDS, UNPUBLISHED, Kind
from tests.faults.transport import FaultyTransport
from tests.lib.virtual_time import now, simulate

QUERIES = {(operations.QUERY_V5.name, kind.name) for kind in (*KINDS, UNPUBLISHED)}
POLLED = {(operation.name, kind.name) for operation in test_matrix.POLLED for kind in KINDS}
ALL_KINDS = {*(kind.name for kind in (*KINDS, UNPUBLISHED)), *test_pages.PAGE_KINDS, "clock skew"}
EXCUSED = {
    **test_access.NO_FAULT,
    **test_skew.UNSIGNED,
    **{
        (operations.STATUS_V3.name, kind): "no collector queries it, since lists contain the status"
        for kind in ALL_KINDS
    },
    (operations.QUERY_V5.name, "clock skew"): "the command check reports it; its own calls are 401",
    **{
        (operation.name, kind): "it has no pages, or only the first page is read"
        for operation in OPERATIONS
        for kind in test_pages.PAGE_KINDS
        if operation not in test_pages.MATCHES
    },
}


def test_every_combination_is_tested_or_excluded() -> None:
    tried = POLLED | QUERIES | test_access.COVERED | test_unpublished.COVERED | test_pages.COVERED | test_skew.COVERED
    cells = {(operation.name, kind) for operation in OPERATIONS for kind in ALL_KINDS}
    assert tried | EXCUSED.keys() == cells
    assert not tried & EXCUSED.keys()


async def queried(kind: Kind | None) -> tuple[int, str, tuple[str, ...], FaultyTransport]:
    transport = FaultyTransport({"acme.test": cloud("acme", ["sync"])}, now)
    if kind:
        transport.failures = {("//acme.test/", operations.QUERY_V5): kind.failure}
    task = transport.clouds["acme.test"].worlds[0].tasks[0]
    settings = config([account("acme", [], ["sync"])])
    code, text, notes = await query(settings, task.id, "file", transport=transport, now=now)
    return code, text, notes, transport


@pytest.mark.parametrize("kind", [*KINDS, UNPUBLISHED], ids=lambda kind: kind.name)
def test_a_query_that_fails(kind: Kind) -> None:
    code, text, notes, transport = simulate(queried(kind))
    assert (code, text) == (1, "")
    assert notes
    assert CANARY not in "".join(notes)
    assert {request.operation for request in transport.sent} == {operations.QUERY_V5}
    assert id_of("acme", "failing") in transport.sent[0].text


def test_a_query_that_does_not() -> None:
    code, text, _, transport = simulate(queried(None))
    assert code == 0
    assert text
    assert len(transport.sent) == 1
