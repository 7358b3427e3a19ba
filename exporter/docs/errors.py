"""The table of error codes in docs/operations.md, made from the table that the client uses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from exporter.cloud.http.error_codes import BY_STATUS, CODES, Meaning, Split

_SPLIT = {Split.NEVER: "no", Split.IF_SOME_WORK: "if other ids are accepted", Split.ALWAYS: "yes"}
ERRORS = """\
The code of an error determines its meaning; the HTTP status does so only if the code is missing or not documented.
`once`: the call is not repeated in this poll. Splitting a batch costs at most as many more calls as the poll has
batches, or 16; after three calls it is clear whether splitting helps. After an error that holds for all calls, the
poll ends with the calls in progress. The `APIGW` codes apply to `APIG` as well, the gateway of some regions."""


def errors_table() -> Iterable[Sequence[str]]:
    """A row for each meaning: finding, codes, HTTP status without a code, calls, splitting, remedy."""
    meanings = dict.fromkeys([*(row.meaning for row in CODES), *BY_STATUS.values()])
    return (_row(meaning) for meaning in meanings)


def _row(meaning: Meaning) -> Sequence[str]:
    codes = dict.fromkeys(
        _code(row.code, row.statuses) for row in CODES if row.meaning is meaning and not row.code.startswith("APIG.")
    )
    alone = [str(status) for status, by_status in BY_STATUS.items() if by_status is meaning]
    calls = "up to three times" if meaning.retried else "once"
    return (
        meaning.what.format(operation="the operation"),
        ", ".join(codes),
        ", ".join(alone),
        f"{calls}, signs in again" if meaning.signs_in else calls,
        _SPLIT[meaning.split],
        meaning.remedy.format(grant="the permission of the operation"),
    )


def _code(code: str, statuses: frozenset[int]) -> str:
    return f"`{code}`" + (f" with {', '.join(map(str, sorted(statuses)))}" if statuses else "")
