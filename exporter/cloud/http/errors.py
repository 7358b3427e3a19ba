"""The errors of calls to the cloud.

No exception carries the cloud's message: messages name hosts, users and databases.
"""

from __future__ import annotations

import re

NO_CREDENTIALS = "credentials"
"""In place of an HTTP status: no call was made, since the secrets could not be read."""
_CAPITAL = re.compile(r"\B[A-Z]")


class CloudError(Exception):
    """A call without a usable response."""

    def __init__(self, operation: str, code: str, error_code: str | None = None, reason: str = "") -> None:
        super().__init__(operation, code, error_code, reason)
        self.operation = operation
        self.code = code
        """The HTTP status, or `timeout`, `network`, `decode`, `credentials`, `project` where there is none."""
        self.error_code = error_code
        """The cloud's own code, such as DRS.M00101."""
        self.reason = reason
        """The cause in the exporter's own words, with the remedy; may be empty."""

    @property
    def kind(self) -> str:
        """Its class and code for people, such as `throttled 429` or `unavailable timeout`."""
        words = _CAPITAL.sub(r" \g<0>", type(self).__name__.removesuffix("Error")).lower()
        return f"{words} {self.error_code or self.code}"

    def __str__(self) -> str:
        detail = f" {self.error_code}" if self.error_code else ""
        return f"{self.operation}: {self.code}{detail}" + (f": {self.reason}" if self.reason else "")


class NotSentError(CloudError):
    """The call was not sent: one that must precede it (for a token, keys, the project's id, a tunnel) failed.

    The reason of that failure has no class of its own here: what IAM lacks or refuses proves nothing about DRS.
    """


class NotPublishedError(CloudError):
    """This operation does not exist in this region."""


class TaskGoneError(CloudError):
    """The task does not exist, or not any more."""


class TaskError(CloudError):
    """The response contains an error, or nothing, in place of this task."""


class BadRequestError(CloudError):
    """The cloud refuses this request; it would refuse it again."""


class AccessDeniedError(CloudError):
    """The credentials are wrong, lack a permission, or are blocked."""


class ThrottledError(CloudError):
    """Too many calls.

    Attributes:
        retry_after: seconds to wait; None where the response has none.
        per_minute: calls a minute that the gateway allows for the operation; None where the response does not say it.
    """

    retry_after: float | None = None
    per_minute: int | None = None


class EmptyResultError(CloudError):
    """422 "the returned result is empty": not a fault, there is nothing to return."""


class UnavailableError(CloudError):
    """Time-out, network error or 5xx: the call is repeated."""


class DecodeError(CloudError):
    """A response that differs from what the API documents."""
