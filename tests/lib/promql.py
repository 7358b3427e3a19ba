"""Checks the names and labels of PromQL expressions against our metrics and recording rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import promql_parser
from promql_parser import AggregateExpr, BinaryExpr, Expr, MatrixSelector, VectorSelector

from exporter.metrics.family import PROJECT_LABELS, TASK_LABELS, WAVE_LABELS
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.self_metrics import SELF_METRICS
from exporter.metrics.tasks import TASK_FAMILIES
from exporter.metrics.waves import WAVE_FAMILIES
from exporter.model.task import Phase

_OF_PROCESSES = ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds")
_TARGET = {"job", "instance", "pod", "replica"}
_FAMILIES: dict[str, set[str]] = {
    **{family.name: {*TASK_LABELS, *family.labels} for family in TASK_FAMILIES},
    **{family.name: {*PROJECT_LABELS, *family.labels} for family in PROJECT_FAMILIES},
    **{family.name: {*WAVE_LABELS, *family.labels} for family in WAVE_FAMILIES},
    **{metric.name: {*metric.labels, *(["le"] if metric.type == "histogram" else [])} for metric in SELF_METRICS},
    "drs_up": {*PROJECT_LABELS, *(f"exported_{label}" for label in PROJECT_LABELS)},
    **{name: set() for name in ("up", *_OF_PROCESSES)},
    "ALERTS": {"alertname", "alertstate", "severity", *TASK_LABELS},
    "ALERTS_FOR_STATE": {"alertname", "severity", *TASK_LABELS},
}
_KNOWN = _TARGET.union(*_FAMILIES.values())


def faults(expression: str, recorded: set[str]) -> list[str]:
    """The names, labels and phases of an expression that do not exist.

    Args:
        expression: PromQL.
        recorded: the names of the recording rules.

    Raises:
        ValueError: it does not parse.
    """
    return [fault for node in _nodes(promql_parser.parse(expression)) for fault in _faults(node, recorded)]


def selectors(expression: str) -> list[VectorSelector]:
    """The selectors of an expression."""
    return [node for node in _nodes(promql_parser.parse(expression)) if isinstance(node, VectorSelector)]


def ranges(expression: str) -> list[tuple[str, float]]:
    """The names of the selectors of an expression that look back, and over how many seconds."""
    return [
        (node.vector_selector.name or "", node.range.total_seconds())
        for node in _nodes(promql_parser.parse(expression))
        if isinstance(node, MatrixSelector)
    ]


def first_aggregations(expression: str) -> Iterator[tuple[str, str, set[str]]]:
    """The name of each selector of an expression, with the operator and labels of the aggregation next to it."""
    around: list[AggregateExpr] = []
    found: list[tuple[str, str, set[str]]] = []

    def enter(node: Expr) -> bool:
        if isinstance(node, AggregateExpr):
            around.append(node)
        elif isinstance(node, VectorSelector):
            modifier = around[-1].modifier if around else None
            found.append(
                (node.name or "", str(around[-1].op) if around else "", set(modifier.labels if modifier else ()))
            )
        return True

    def leave(node: Expr) -> bool:
        if isinstance(node, AggregateExpr):
            around.pop()
        return True

    promql_parser.walk(promql_parser.parse(expression), pre_visit=enter, post_visit=leave)
    return iter(found)


def _nodes(expression: Expr) -> list[Expr]:
    found: list[Expr] = []

    def visit(node: Expr) -> bool:
        found.append(node)
        return True

    promql_parser.walk(expression, pre_visit=visit)
    return found


def _faults(node: Expr, recorded: set[str]) -> Iterator[str]:
    if isinstance(node, VectorSelector):
        yield from _selector_faults(node, recorded)
    elif isinstance(node, AggregateExpr) and node.modifier is not None:
        yield from _unknown(node.modifier.labels)
    elif isinstance(node, BinaryExpr) and node.modifier is not None and node.modifier.matching is not None:
        yield from _unknown(node.modifier.matching.labels)


def _selector_faults(selector: VectorSelector, recorded: set[str]) -> Iterator[str]:
    name = selector.name or ""
    family = re.sub(r"(_seconds)_(bucket|sum|count)$", r"\1", name)
    if name not in recorded and family not in _FAMILIES:
        yield f"no family {name}"
    labels = _KNOWN if name in recorded else _FAMILIES.get(family, set()) | _TARGET
    for matcher in selector.matchers.matchers:
        if matcher.name not in labels:
            yield f"{name} has no label {matcher.name}"
        known = "$" in matcher.value or any(re.fullmatch(matcher.value, phase) for phase in Phase)
        if matcher.name == "phase" and not known:
            yield f"no phase {matcher.value}"


def _unknown(labels: Iterable[str]) -> Iterator[str]:
    yield from (f"no label {label}" for label in labels if label not in _KNOWN)
