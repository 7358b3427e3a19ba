"""The newest pre-check of tasks that are being configured: v3 batch-precheck-result.

v5 has the same behind type=precheck, but requires the query id of the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import AliasChoices, Field

from exporter.cloud import operations
from exporter.cloud.http.errors import BadRequestError
from exporter.cloud.source import ErrorsByCollector, TaskResult, TaskResults
from exporter.cloud.wire.batch_item import BatchItemWire
from exporter.cloud.wire.fields import NestedList, Percent, Wire, Word, alias
from exporter.model.facts import Precheck, TaskFacts

if TYPE_CHECKING:
    from exporter.cloud.http.client import Client

_NEVER_RUN = "DRS.M05003"  # "the information is not found": no pre-check was started yet, which is no error


class CheckWire(Wire):
    """One check; its `data` is sometimes JSON, sometimes Python, and not needed."""

    result: Word = None


class PrecheckItemWire(BatchItemWire):
    """The pre-check of one task. The array is `precheck_result` in v3 and `precheck_results` in v5."""

    operation: ClassVar = operations.PRECHECK_V3
    collector: ClassVar = Precheck.collector
    job_id: str = Field(min_length=1, max_length=64, validation_alias=AliasChoices("precheck_id", "job_id", "id"))
    passed_ratio: Percent = alias("total_passed_rate")
    checks: NestedList[CheckWire] = Field((), validation_alias=AliasChoices("precheck_result", "precheck_results"))

    def facts(self) -> tuple[TaskFacts, ...]:
        """Return the results; ALARM counts as passed in the cloud's own rate."""
        results = Counter(check.result for check in self.checks if check.result)
        return (Precheck(tuple(sorted(results.items())), self.passed_ratio),)

    def error(self) -> TaskResult | None:
        return () if self.error_code == _NEVER_RUN else super().error()

    @classmethod
    async def fetch(cls, client: Client, errors: ErrorsByCollector, ids: Sequence[str]) -> TaskResults:
        try:
            return await super().fetch(client, errors, ids)
        except BadRequestError as error:
            if error.error_code != _NEVER_RUN or len(ids) > 1:
                raise
            return {ids[0]: ()}
