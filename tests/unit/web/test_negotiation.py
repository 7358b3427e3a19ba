"""The format of a page, as real clients ask for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.metrics.page import Format
from exporter.web.app import wanted_format

T, O = Format.TEXT, Format.OPENMETRICS  # noqa: E741
OM = "application/openmetrics-text"
PROTO = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
PROMETHEUS_3 = (
    f"{OM};version=1.0.0;escaping=allow-utf-8;q=0.5,{OM};version=0.0.1;q=0.4,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
CLIENTS = {
    "Prometheus 2.42": (f"{OM};version=1.0.0,{OM};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", O),
    "Prometheus 2.26": (f"{OM}; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", T),
    "Prometheus 2.4": ("text/plain;version=0.0.4;q=1,*/*;q=0.1", T),
    "Prometheus 3": (PROMETHEUS_3, O),
    "Prometheus 3, native histograms": (f"{PROTO};escaping=allow-utf-8;q=0.6,{PROMETHEUS_3}", O),
    "Prometheus 3, text only": (
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        T,
    ),
    "curl": ("*/*", T),
    "none": ("", T),
    "Chromium": ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", T),
    "Firefox": ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", T),
    "Telegraf": (f"{OM};version=1.0.0;q=0.5,text/plain;version=0.0.4", T),
}
OTHERS = {
    OM: O,
    OM.upper(): O,
    f'{OM}; version="1.0.0"; charset=utf-8': O,
    f"{OM};version=0.0.1": T,
    f"{OM};version=2.0.0": T,
    f"{OM};q=0": T,
    f"{OM};q=0, */*": T,
    f"{OM}, */*": O,
    f"{OM}, text/plain": T,
    f"{OM};q=0.5, text/plain;q=0.4": O,
    f"{OM};q=0.4, text/plain;q=0.5": T,
    f"{OM};q=0.5, */*;q=0.9": T,
    "application/*": O,
    "application/*, text/*": T,
    "application/json": T,
    "text/plain;q=0, */*": O,
    "text/plain;version=1.0.0": T,
    f"{OM};q=x, text/plain;q=0.1": T,
    f"{OM};q=9, text/plain": T,
    ",;,=;;q": T,
}


@pytest.mark.parametrize("client", CLIENTS)
def test_clients_get_what_they_read_best(client: str) -> None:
    header, form = CLIENTS[client]
    assert wanted_format(header) is form


@pytest.mark.parametrize("header", OTHERS)
def test_formats_by_quality(header: str) -> None:
    assert wanted_format(header) is OTHERS[header]


@given(st.text())
def test_no_header_is_too_odd(header: str) -> None:
    assert wanted_format(header) in Format
