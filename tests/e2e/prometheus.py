"""A real Prometheus with the shipped configuration and rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.e2e.programs import WebProgram, get
from tests.lib.paths import DEPLOY
from tests.lib.rules import load
from tests.lib.tools import tool

INTERVAL = "2s"
"""Of scrapes and rules, and the time-out of a scrape: after a second, a busy machine may not have ended one."""


class Prometheus(WebProgram):
    """Prometheus with the shipped configuration and rules, but other ports and intervals.

    Args:
        folder: for its files.
        targets: the hosts and ports of the exporters.
        alertmanager: host and port of an Alertmanager. With it alerts fire at once, without their `for`.
        more: further keys of the scrape configuration.
    """

    def __init__(self, folder: Path, *targets: str, alertmanager: str | None = None, **more: Any) -> None:
        config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
        config["global"] |= {"evaluation_interval": INTERVAL}
        (rules,) = config["rule_files"]
        for rule_file in (DEPLOY / "prometheus").glob(rules):
            groups = [{**group, "interval": INTERVAL} for group in load(rule_file)["groups"]]
            if alertmanager is not None:
                for rule in (rule for group in groups for rule in group["rules"]):
                    rule.pop("for", None)
                    rule.pop("keep_firing_for", None)
            (folder / rule_file.name).write_text(yaml.safe_dump({"groups": groups}))
        if alertmanager is not None:
            config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
        (scrape,) = config["scrape_configs"]
        scrape |= {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL, **more}
        scrape["static_configs"][0]["targets"] = list(targets)
        file = folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(config))
        options = (f"--config.file={file}", f"--storage.tsdb.path={folder / 'data'}", "--log.level=warn")
        super().__init__([tool("prometheus"), *options], folder)

    def request(self, path: str, **parameters: str) -> Any:
        """The data in a response of its API."""
        response = get(f"{self.url}/api/v1/{path}", params=parameters)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query."""
        result: list[dict[str, Any]] = self.request("query", query=expression)["result"]
        return result

    def labels(self, expression: str, name: str) -> set[str]:
        """The values of a label in the result of an instant query."""
        return {series["metric"][name] for series in self.query(expression)}
