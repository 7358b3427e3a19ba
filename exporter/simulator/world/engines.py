"""Engines: the same task has another engine word in every generation (reference tables C and D)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Engine:
    """The names of one pair of databases in the API.

    Attributes:
        v3: what v3 answers; "" when v3 does not know the pair at all.
        v3_filter: what v3 wants in ``engine_type`` (``mongodb`` comes back as ``mongodb-to-dds``).
        v5: what v5 asks and answers; the documented pages list four of them.
        suffixes: end of the task id by scenario.
    """

    v3: str
    v3_filter: str
    v5: str
    source: str
    target: str
    port: int
    suffixes: dict[str, str]


_USUAL = {"migration": "jb101", "sync": "jb201", "cloudDataGuard": "jb502"}
_DR = {"cloudDataGuard": "jb502"}

ENGINES: dict[str, Engine] = {
    "mysql": Engine("mysql", "mysql", "mysql-to-mysql", "mysql", "mysql", 3306, _USUAL),
    "mongodb": Engine(
        "mongodb-to-dds", "mongodb", "mongodb-to-dds", "mongodb", "dds", 27017, {**_USUAL, "migration": "jb105"}
    ),
    "postgresql": Engine(
        "postgresql", "postgresql", "postgresql-to-postgresql", "postgresql", "postgresql", 5432, _USUAL
    ),
    "mysql-to-taurus": Engine("mysql-to-taurus", "mysql-to-taurus", "mysql-to-taurus", "mysql", "taurus", 3306, _USUAL),
    "cloudDataGuard-mysql": Engine(
        "cloudDataGuard-mysql", "cloudDataGuard-mysql", "cloudDataGuard-mysql", "mysql", "mysql", 3306, _DR
    ),
    "oracle-to-gaussdbv5": Engine(
        "oracle-to-gaussdbv5",
        "oracle-to-gaussdbv5",
        "oracle-to-gaussdbv5",
        "oracle",
        "gaussdbv5",
        1521,
        {"sync": "jb20r"},
    ),
    # Both Redis pairs stand in the v5 pages only.
    "redis-to-gaussredis": Engine("", "", "redis-to-gaussredis", "redis", "gaussredis", 6379, _USUAL),
    "rediscluster-to-gaussredis": Engine(
        "", "", "rediscluster-to-gaussredis", "rediscluster", "gaussredis", 6379, _USUAL
    ),
}

V5_DOCUMENTED = ("mysql-to-mysql", "redis-to-gaussredis", "rediscluster-to-gaussredis", "oracle-to-gaussdbv5")
"""The engines that v5 lists, by its documentation; only v3 lists the others."""
