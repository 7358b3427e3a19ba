"""The newest pre-check of tasks that are being configured: v3 batch-precheck-result.

v5 has the same behind type=precheck, but only for who knows the query id of the run.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pydantic import AliasChoices, Field

from exporter.cloud import operations
from exporter.cloud.http.errors import BadRequestError
from exporter.cloud.wire.answers import BatchItem, item_error, read_batch
from exporter.cloud.wire.fields import Completed, ErrorCode, Items, Text, Wire, Word
from exporter.model.facts import Precheck

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.cloud.http.client import Client
    from exporter.cloud.source import Answer
    from exporter.cloud.wire.fields import DecodeErrors


_NEVER_RUN = "DRS.M05003"  # "the information is not found": nobody has started one yet, which is no fault


class Check(Wire):
    """One check; its `data` is sometimes JSON, sometimes Python, and not needed."""

    result: Word = None


class Item(BatchItem):
    """The pre-check of one task. The array is `precheck_result` in v3 and `precheck_results` in v5."""

    job_id: str = Field(min_length=1, max_length=64, validation_alias=AliasChoices("precheck_id", "job_id", "id"))
    status: Text = None
    total_passed_rate: Completed = None
    checks: Items = Field(None, validation_alias=AliasChoices("precheck_result", "precheck_results"))
    error_code: ErrorCode = None

    def answer(self, errors: DecodeErrors) -> Answer:
        """The facts, or the error of this task alone. ALARM counts as passed in the cloud's own rate."""
        if self.error_code == _NEVER_RUN:
            return ()
        if (error := item_error(operations.PRECHECK_V3.name, self.error_code, self.status)) is not None:
            return error
        results = Counter(check.result for check in Check.read_all(self.checks, errors) if check.result)
        return (Precheck(tuple(sorted(results.items())), self.total_passed_rate),)


async def fetch_v3(client: Client, errors: DecodeErrors, ids: Sequence[str]) -> Mapping[str, Answer]:
    """The newest pre-checks of some tasks."""
    try:
        answer = await client.call(operations.PRECHECK_V3, body={"jobs": list(ids)})
    except BadRequestError as error:
        if error.error_code != _NEVER_RUN or len(ids) > 1:
            raise
        return {ids[0]: ()}
    return read_batch(operations.PRECHECK_V3.name, answer, Item, errors, ids=ids)
