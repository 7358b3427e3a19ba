r"""Print recording rules and alerts for your Prometheus, with your URLs.

Examples:
  drs-exporter rules --grafana-url=https://grafana.example.com \
    --exporter-url=https://drs.example.com > drs-exporter.yml
  promtool check rules drs-exporter.yml
  drs-exporter rules --set delay=2m --set node-disk=90% --disable DrsQuotaNear
  drs-exporter rules --severity DrsSideDown=critical
  drs-exporter rules --format=prometheusrule --label=release=prometheus |
    kubectl apply --filename=-

Needs Prometheus 2.42 or later. An alert has a link only if its URL is given.
The exporter must be scraped with honor_labels: true.
"""

from __future__ import annotations

import argparse
import re
from importlib.metadata import version

from exporter.commands.manifests import add_labels, config_map, manifest, reject_labels, yaml_text
from exporter.commands.options import Parser, add_base_url, add_log, add_repeated, nearest
from exporter.commands.outcome import Outcome, unusable
from exporter.commands.site_rules import SEVERITIES, Links, Site, alerts_in, rules_for
from exporter.commands.thresholds import THRESHOLDS, threshold_value, thresholds_help
from exporter.runtime.shipped_rules import Groups, shipped_groups

_FORMATS = ("prometheus", "prometheusrule", "configmap")
_NAME = "drs-exporter"


def add_options(parser: Parser) -> None:
    add_log(parser)
    parser.epilog = f"{parser.epilog}\n{thresholds_help()}"
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        default="prometheus",
        help="prometheus: a rule file; prometheusrule: for the Prometheus Operator; configmap: a rule file in a "
        "ConfigMap; default: prometheus",
    )
    add_base_url(parser, "--grafana-url", "of your Grafana, which has the dashboards of drs-exporter")
    add_base_url(parser, "--exporter-url", "of the status page, for links to tasks, waves and runbooks")
    add_base_url(
        parser, "--runbook-url", "of your copy of the runbooks (drs-exporter assets); alerts about the exporter need it"
    )
    parser.add_argument(
        "--job",
        type=_job,
        help="scrape job with exporters only: alerts are then also about targets that were never scraped",
    )
    severities = f"another severity of an alert: {', '.join(SEVERITIES)}"
    add_repeated(parser, "--severity", "ALERT=SEVERITY", severities, _severity)
    add_repeated(parser, "--disable", "ALERT", "leave an alert out")
    add_repeated(parser, "--set", "THRESHOLD=VALUE", "another threshold, a duration or a share, see below", _threshold)
    parser.add_argument(
        "--ready-outside-waves",
        action="store_true",
        help="DrsTaskCutoverReady is also about tasks that are in no running wave",
    )
    add_labels(parser)


def run(options: argparse.Namespace) -> Outcome:
    if options.format == "prometheus":
        reject_labels(options)
    try:
        shipped = shipped_groups()
    except OSError as error:
        return unusable(error)
    return Outcome(0, _document(options, rules_for(_site(options, shipped), shipped)))


def _site(options: argparse.Namespace, shipped: Groups) -> Site:
    known, severities = alerts_in(shipped), dict(options.severity)
    for option, alerts in (("--severity", severities), ("--disable", options.disable)):
        for alert in alerts:
            if alert not in known:
                options.parser.error(f"{option}: unknown alert {alert!r}{nearest(alert, known)}")
    links = Links(options.grafana_url, options.exporter_url, options.runbook_url)
    thresholds = dict(options.set)
    return Site(links, options.job, severities, options.disable, thresholds, options.ready_outside_waves)


def _document(options: argparse.Namespace, groups: Groups) -> str:
    heading = f"# Rules of drs-exporter {version('drs-exporter')}. They need Prometheus 2.42 or later.\n"
    labels = dict(options.label)
    if options.format == "prometheusrule":
        content = manifest("monitoring.coreos.com/v1", "PrometheusRule", _NAME, labels, spec={"groups": groups})
        return heading + yaml_text(content)
    rule_file = heading + yaml_text({"groups": groups})
    if options.format == "prometheus":
        return rule_file
    return yaml_text(config_map(f"{_NAME}-rules", labels, {f"{_NAME}.yml": f"{rule_file}\n"}))


def _job(text: str) -> str:
    if not re.fullmatch(r'[^"\\\x00-\x1f\ud800-\udfff]+', text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a job of Prometheus without quotes and backslashes")
    return text


def _severity(text: str) -> tuple[str, str]:
    alert, _, severity = text.partition("=")
    if severity not in SEVERITIES:
        raise argparse.ArgumentTypeError(f"{text!r} is not ALERT=SEVERITY with one of {', '.join(SEVERITIES)}")
    return alert, severity


def _threshold(text: str) -> tuple[str, float]:
    name, separator, value = text.partition("=")
    if name not in THRESHOLDS:
        raise argparse.ArgumentTypeError(f"unknown threshold {name!r}{nearest(name, THRESHOLDS)}")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not THRESHOLD=VALUE")
    try:
        return name, threshold_value(name, value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{name}: {error}") from None
