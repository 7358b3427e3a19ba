"""Regular expressions of users for names, whose compilation and search take a limited time."""

from __future__ import annotations

import re
import time
import warnings
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    import regex

_LONGEST = 1000
_MOST_REPEATS = 10_000
"""`regex` unrolls counted repetitions: `(?:a{9999}){9999}` would take all memory."""
_SECONDS = 0.1
_BURST_SECONDS, _SHARE = 1.0, 0.01
"""Limit of the CPU seconds of all searches of one expression, and how much of it one second adds."""
_MOST_KNOWN = 20_000
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(?P<least>\d*),?(?P<most>\d*)\}|[()]|.", re.DOTALL)
_log = structlog.get_logger()


class NamePattern:
    """A regular expression for a whole name, in the syntax of Python's `re`.

    Python's own `re` has no time-outs and holds the interpreter lock: an expression such as `(a|aa)+b` stops the
    process for years at one name. Results are remembered, so that each name is searched once.

    Args:
        text: the expression.

    Raises:
        ValueError: the text is not a regular expression, is too long, or repeats too much.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._pattern = _compiled(text)
        self._known: dict[str, bool] = {}
        self._left, self._at = _BURST_SECONDS, time.monotonic()
        self._reported = False

    def __repr__(self) -> str:
        return f"NamePattern({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamePattern) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def matches(self, name: str) -> bool | None:
        """Return whether the whole name matches; None if the search takes too long. The next call tries again."""
        found = self._known.get(name)
        if found is None and (found := self._search(name)) is not None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[name] = found
        return found

    def _search(self, name: str) -> bool | None:
        now, started = time.monotonic(), time.thread_time()
        self._left = min(_BURST_SECONDS, self._left + (now - self._at) * _SHARE)
        self._at = now
        try:
            if self._left > 0:
                return self._pattern.fullmatch(name, timeout=min(_SECONDS, self._left)) is not None
        except TimeoutError:
            pass
        finally:
            self._left -= time.thread_time() - started
        if not self._reported:
            self._reported = True
            _log.warning(
                "a regular expression takes too long: tasks whose names it does not judge are shown, and keep "
                "waves from being ready",
                pattern=self.text,
            )
        return None


def _compiled(text: str) -> regex.Pattern[str]:
    if len(text) > _LONGEST:
        raise ValueError(f"a regular expression may have {_LONGEST} characters; this one has {len(text)}")
    import regex  # noqa: PLC0415 - takes 7 ms and 1.5 MB, and few configurations have patterns

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Python warns of [[:alpha:]], and then matches something else
            re.compile(text)  # whose syntax is documented, and whose messages say where the fault is
            if _repeats(text) > _MOST_REPEATS:
                raise ValueError(f"a regular expression may repeat {_MOST_REPEATS} times, all its parts together")
            return regex.compile(text)
    except (re.error, regex.error, OverflowError, RecursionError, Warning) as error:
        raise ValueError(f"not a regular expression of Python: {error}") from None


def _repeats(text: str) -> int:
    """The number of single characters, or sets of them, when all counted repetitions are written out."""
    sizes, last = [0], 0
    for token in _TOKEN.finditer(text):
        counts = [int(count) for count in token.group("least", "most") if count]
        if counts:
            sizes[-1] += last * (max(*counts, 1) - 1)
            last *= max(*counts, 1)
        elif token[0] == "(":
            sizes.append(0)
            last = 0
        elif token[0] == ")" and len(sizes) > 1:
            last = sizes.pop()
            sizes[-1] += last
        else:
            last = 1
            sizes[-1] += 1
    return sum(sizes)
