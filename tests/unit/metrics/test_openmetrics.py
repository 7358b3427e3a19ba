"""OpenMetrics says what the text format says, to a parser that takes the specification literally."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from exporter.commands import demo
from exporter.daemon.exporter import Exporter
from exporter.metrics.exposition import Exposition
from exporter.metrics.page import Format, heads_of, unit_of
from exporter.metrics.projects import PROJECT_FAMILIES
from exporter.metrics.self_metrics import SELF_METRICS, Telemetry
from exporter.metrics.tasks import TASK_FAMILIES
from exporter.metrics.waves import WAVE_FAMILIES
from exporter.runtime.escape import printable
from tests.lib.daemon import cloud_of, exporter_on, get, sim_task
from tests.lib.virtual_time import simulate
from tests.unit.metrics.test_exposition import TEXTS, head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client import Metric
    from prometheus_client.samples import Sample

    from exporter.metrics.page import Page

HELPS = TEXTS.map(lambda text: text.strip(" "))  # the parser takes blanks for more of the separator
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


PARSERS: dict[Format, Callable[[str], Iterable[Metric]]] = {
    Format.TEXT: text_string_to_metric_families,
    Format.OPENMETRICS: openmetrics.text_string_to_metric_families,
}


def parsed(page: Page, form: Format) -> list[Metric]:
    return list(PARSERS[form](b"".join(page.plain(form=form)).decode()))


def samples(families: Iterable[Metric]) -> list[Sample]:
    return [sample for family in families for sample in family.samples]


def as_openmetrics(family: Metric) -> Metric:
    """A family of the text format, with the name and type that it has in OpenMetrics."""
    if family.type == "gauge" and family.name.endswith("_info"):
        family.name, family.type = family.name.removesuffix("_info"), "info"
    return family


def printable_labels(labels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(printable, labels))


@pytest.fixture(scope="module")
def page() -> Page:
    """The demo, which has nearly every family, after one poll."""

    async def main() -> Page:
        config, transport = demo.simulated()
        async with Exporter(config, transport=transport) as exporter:
            await exporter.poll_once()
            return exporter.exposition.page

    return asyncio.run(main())


def test_both_formats_have_the_same_families_and_samples(page: Page) -> None:
    text, other = (parsed(page, form) for form in Format)
    assert samples(text) == samples(other)
    assert len(samples(text)) > 1000
    described = [
        [(family.name, family.type, family.documentation) for family in families]
        for families in (map(as_openmetrics, text), other)
    ]
    assert described[0] == described[1]
    assert {family.type for family in other} == {"counter", "gauge", "histogram", "info"}


def test_units_are_those_of_the_names_and_infos_have_none(page: Page) -> None:
    families = {family.name: family for family in parsed(page, Format.OPENMETRICS)}
    assert {family.unit for family in families.values()} >= {"", "seconds", "bytes", "ratio", "bytes_per_second"}
    assert all(family.unit == unit_of(name) for name, family in families.items())
    infos = {name for name, family in families.items() if family.type == "info"}
    assert {"drs_task", "drs_task_detail", "drs_exporter_build", "python"} <= infos
    assert not any(families[name].unit for name in infos)


def test_no_two_families_have_one_name_in_openmetrics() -> None:
    families: tuple[Any, ...] = (*TASK_FAMILIES, *PROJECT_FAMILIES, *WAVE_FAMILIES, *SELF_METRICS)
    heads = b"".join(heads_of(family.name, family.type, "")[Format.OPENMETRICS].text for family in families)
    assert len(list(PARSERS[Format.OPENMETRICS](f"{heads.decode()}# EOF\n"))) == len(families)


def test_there_is_no_created_series_and_the_bounds_of_buckets_are_floats(page: Page) -> None:
    other = samples(parsed(page, Format.OPENMETRICS))
    assert not [sample.name for sample in other if sample.name.endswith("_created")]
    bounds = {sample.labels["le"] for sample in other if sample.name.endswith("_bucket")}
    assert {"0.05", "1.0", "10.0", "+Inf"} <= bounds
    assert all("." in bound or bound == "+Inf" for bound in bounds)


def test_both_formats_share_every_block_but_the_heads(page: Page) -> None:
    text, other = ({id(block) for block in page.gzip(form=form)[1:-2]} for form in Format)  # without the ends of gzip
    others = sum(family.heads[Format.TEXT] is not family.heads[Format.OPENMETRICS] for family in page.families)
    assert len(other - text) == others + 1
    assert len(text - other) == others


@given(
    identity=st.tuples(TEXTS, TEXTS),
    own=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4, unique_by=printable_labels),
    about=HELPS,
)
def test_labels_and_helps_are_read_back_in_both_formats_with_control_characters_escaped(
    identity: tuple[str, str], own: list[tuple[str, str]], about: str
) -> None:
    names = ("one", "two", "three", "four")

    async def main() -> Page:
        exposition = Exposition((head("f_total", names[2:], about, "counter"),), lambda: ())
        exposition.set_labels("key", list(zip(names, identity, strict=False)))
        exposition.put("key", "f_total", [(labels, number) for number, labels in enumerate(own)])
        await exposition.publish()
        return exposition.page

    page = simulate(main())
    expected = [
        ({name: label for name, label in zip(names, printable_labels(identity + labels), strict=True) if label}, number)
        for number, labels in enumerate(own)
    ]
    for form in Format if identity[0] else [Format.TEXT]:  # OpenMetrics has no comma before the first label
        [family] = parsed(page, form)
        assert (family.name, family.type) == ("f", "counter")
        assert [(sample.labels, sample.value) for sample in family.samples] == expected
        assert form is Format.TEXT or family.documentation == about


@pytest.mark.parametrize("query", ["", "?name[]=drs_up&name[]=drs_task&name[]=drs_task_phase_changes"])
@pytest.mark.parametrize("packed", ["", "gzip"])
async def test_a_client_that_accepts_openmetrics_receives_it(query: str, packed: str) -> None:
    async with exporter_on(cloud_of(sim_task("one"))) as exporter:
        await exporter.poll_once()
        got = await get(exporter, f"/metrics{query}", packed, accept_type="application/openmetrics-text")
        assert got.headers["content-type"] == OPENMETRICS
        assert got.headers["vary"] == "Accept, Accept-Encoding"
        assert int(got.headers["content-length"]) == len(got.body)
        text = gzip.decompress(got.body) if packed else got.body
        names = [family.name for family in PARSERS[Format.OPENMETRICS](text.decode())]
        if query:
            assert names == ["drs_up", "drs_task", "drs_task_phase_changes"]
        assert names[0] == "drs_up"


def test_metrics_of_the_exporter_itself_have_no_other_comments_than_help_and_type() -> None:
    """The text of self-metrics is split at its HELP lines."""
    text = b"".join(Telemetry().render()).decode()
    assert all(line.startswith(("# HELP ", "# TYPE ")) for line in text.splitlines() if line.startswith("#"))
