"""Kills processes that write to a storage, at random points, and checks the file after each.

python -m tests.soak.storage_kills DIRECTORY KILLS [SEED]

Each process writes batches and reports the events of each batch that is committed. It is ended by SIGKILL. Then none of
the reported events may be missing, and the file must be whole. A separate program: it forks, which a process with
threads must not do.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from contextlib import closing
from pathlib import Path

from exporter.storage import TaskKey, folder
from exporter.storage.rows import Batch
from tests.lib.storage import KEY, NOW, TIMES, database, event, point

_LONGEST_SECONDS = 0.08
_HOUR = 3600.0
_BYTES_OF_NUMBER = 8
_TASKS = 20


def write_for_ever(path: Path, start: float, chance: random.Random, reports: int) -> None:
    """Write batches until the process is killed; the time of an event is its identity."""
    made, at, number = database(path), start, 0
    while True:
        count = chance.randrange(1, 60)
        events = tuple((number + each, event(at + each, text="x" * chance.randrange(400))) for each in range(count))
        keys = [TaskKey(KEY, str(chance.randrange(_TASKS))) for _ in range(count)]
        made.write(
            Batch(
                at,
                events=events,
                times=tuple((key, TIMES._replace(ready_until=at)) for key in keys),
                points=tuple((each, key, point(at + each)) for each, key in enumerate(keys)),
            )
        )
        os.write(reports, b"".join(int(found.at).to_bytes(_BYTES_OF_NUMBER, "big") for _, found in events))
        at, number = at + count, number + count
        if not chance.randrange(10):
            made.close()  # as at the end of the exporter: the log of the file is moved into it
            made, number = database(path), 0


def killed(path: Path, start: float, chance: random.Random) -> set[float]:
    """Kill a process at a random point. Return the times of the events that it has reported."""
    reader, writer = os.pipe()
    process = os.fork()
    if not process:
        os.close(reader)
        try:
            write_for_ever(path, start, random.Random(chance.random()), writer)  # noqa: S311
        finally:
            os._exit(1)
    os.close(writer)
    time.sleep(chance.random() * _LONGEST_SECONDS)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    with closing(os.fdopen(reader, "rb")) as reports:
        content = reports.read()
    size = _BYTES_OF_NUMBER
    return {float(int.from_bytes(content[at : at + size], "big")) for at in range(0, len(content) - size + 1, size)}


def main(path: Path, kills: int, seed: int) -> None:
    """Raise AssertionError if an event is lost, or the file is damaged."""
    chance, reported, writing = random.Random(seed), set[float](), 0  # noqa: S311
    for number in range(kills):
        committed = killed(path, NOW + number * _HOUR, chance)
        reported |= committed
        writing += bool(committed)
        made = database(path)
        made.open(NOW + number * _HOUR + _HOUR / 2)
        found = [row.at for row in made.read_events(0, 1e10)]
        made.close()
        assert reported <= {*found}, f"lost {len(reported - {*found})} events (seed {seed}, kill {number})"
        assert len(found) == len({*found}), f"events twice (seed {seed}, kill {number})"
        assert not [*path.glob("*.corrupt")], f"damaged (seed {seed}, kill {number})"
    assert folder.size_of(path / folder.FILE) > 0
    print(f"{kills} kills, {writing} of them after a commit, {len(reported)} events")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1)
