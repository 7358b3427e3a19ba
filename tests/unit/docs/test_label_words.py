"""The words of labels, and the phases, in docs/metrics.md."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from exporter.docs import examples
from exporter.docs.catalogue import catalogue_markdown
from exporter.docs.label_words import LABELS
from exporter.metrics.family import Family
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.tasks import TASK_FAMILIES
from exporter.metrics.waves import WAVE_FAMILIES
from exporter.model.task import STATUSES
from exporter.views.known_words import LABEL_WORDS
from tests.lib.documents import rows
from tests.lib.verdicts import PLAIN, case_of, ready

TEXT = catalogue_markdown()
PHASES, WORDS = (
    TEXT.partition(f"\n{heading}\n")[2].partition("\n##")[0] for heading in ("### Phases", "## Words in labels")
)


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("INCRE_TRANSFER_STARTED", "`incremental`"),
        ("PAUSEING", "`paused`"),
        ("RELEASE_CHILD_TRANSFER_COMPLETE", "`changing`; of a subtask `ended`"),
    ],
)
def test_the_phase_of_a_status(status: str, phase: str) -> None:
    table = rows(PHASES)
    assert table[status] == [phase]
    assert table.keys() >= STATUSES.keys()
    assert "| any other word | `other` |" in PHASES


def test_every_label_with_words_of_the_cloud_or_the_exporter_lists_them() -> None:
    lines = [line[2:-2].split(" | ") for line in WORDS.splitlines() if line.startswith("| `")]
    listed = {(label.strip("`"), family.strip("`")): text for label, family, text in lines}
    about_the_cloud: tuple[Family[Any], ...] = (*TASK_FAMILIES, *PROJECT_FAMILIES, *WAVE_FAMILIES)
    assert listed.keys() == {
        (label, family.name) for label in LABELS for family in about_the_cloud if label in family.labels
    }
    assert [key for key, text in listed.items() if not text.startswith(("`", "those of"))] == []
    assert listed["state", "drs_apply_state"] == "`succeed`, `failed`, `processing`, `waiting`, `other`"
    assert (
        listed["level", "drs_task_last_log_timestamp_seconds"]
        == "`error`, `info`, `warn`, or another word of the cloud"
    )


@pytest.mark.parametrize("family", [family for family in TASK_FAMILIES if family.words], ids=lambda family: family.name)
def test_the_fixed_words_of_a_family_are_those_of_its_samples(family: Family[Any]) -> None:
    shown = {labels[-1] for task in examples.TASKS for labels, _ in family.samples(task)}
    assert shown
    assert shown <= set(family.words)


@pytest.mark.parametrize("action", LABEL_WORDS["drs_task_current_action"])
def test_every_documented_action_either_disturbs_the_replication_or_does_not(action: str) -> None:
    assert case_of(ready(replace(PLAIN, current_action=action))).disrupted is not None


def test_every_group_of_words_is_that_of_a_metric() -> None:
    assert LABEL_WORDS.keys() - {family.name for family in TASK_FAMILIES} - {"drs_async_jobs", "other"} == set()
