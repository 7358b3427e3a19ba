"""The container image and the compose file, as far as they can be tested without a container engine."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from compose_spec import PyCompose

from tests.lib.paths import DEPLOY
from tests.lib.rules import PROMETHEUS, load, promtool
from tests.lib.tools import needs

ROOT = DEPLOY.parent
COMPOSE = DEPLOY / "compose"
FILE = COMPOSE / "compose.yaml"
SERVICES: dict[str, Any] = load(FILE)["services"]
DOCKERFILE = DEPLOY / "docker" / "Dockerfile"
STAGES = DOCKERFILE.read_text().split("\nFROM ")[1:]

each_service = pytest.mark.parametrize("name", SERVICES)


def mounts(name: str) -> dict[str, Path]:
    """Our files that a container mounts, by their path in the container."""
    parts = [volume.split(":") for volume in SERVICES[name].get("volumes", ())]
    return {target[0]: (COMPOSE / source).resolve() for source, *target in parts if source.startswith(".")}


def ours(name: str, path: str) -> Path:
    """Return the file of ours at a path in a container."""
    mount = max((mount for mount in mounts(name) if path.startswith(mount)), key=len)
    return mounts(name)[mount] / path.removeprefix(mount).lstrip("/")


def port(name: str) -> int:
    """The port of a service, which is published to this machine only."""
    (published,) = SERVICES[name]["ports"]
    address, outside, inside = published.split(":")
    assert (address, outside) == ("127.0.0.1", inside)
    return int(inside)


def is_served(url: str) -> bool:
    """Return whether a service listens at a URL of the internal network."""
    parts = urlsplit(url)
    return parts.port == port(parts.hostname or "")


def test_the_file_is_of_the_compose_specification() -> None:
    PyCompose.from_yaml(FILE.read_text()).validate()
    with pytest.raises(ValueError, match="restrat"):
        PyCompose.from_yaml(FILE.read_text().replace("restart:", "restrat:"))


@each_service
def test_everything_that_is_mounted_exists_and_is_read_only(name: str) -> None:
    for volume in SERVICES[name].get("volumes", ()):
        source, _, rest = volume.partition(":")
        if source.startswith("."):
            assert (COMPOSE / source).exists(), source
            assert rest.endswith(":ro")
        else:
            assert source in load(FILE)["volumes"]


@each_service
def test_files_that_options_name_are_mounted(name: str) -> None:
    options = [*SERVICES[name].get("command", ()), *map(str, SERVICES[name].get("environment", {}).values())]
    for path in re.findall(r"(?:^|=)(/\S+\.(?:yml|yaml|json))$", "\n".join(options), re.MULTILINE):
        assert ours(name, path).is_file()


@each_service
def test_services_can_do_as_little_as_possible(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert port(name)
    assert re.search(r":v?\d+\.\d+\.\d+$", service["image"]) if "image" in service else service["build"]


@each_service
def test_every_service_of_depends_on_exists(name: str) -> None:
    assert set(SERVICES[name].get("depends_on", ())) <= SERVICES.keys()


@needs("promtool")
def test_prometheus_reads_our_rules_and_finds_the_others(tmp_path: Path) -> None:
    config = load(COMPOSE / "prometheus.yml")
    (scrape,) = config["scrape_configs"]
    (sent,) = config["alerting"]["alertmanagers"]
    for place in (scrape, sent):
        (target,) = place["static_configs"][0]["targets"]
        assert is_served(f"http://{target}")
    shipped = load(PROMETHEUS / "prometheus.yml")["scrape_configs"][0]
    assert {key: scrape[key] for key in ("job_name", "honor_labels")} == {
        key: shipped[key] for key in ("job_name", "honor_labels")
    }
    (rules,) = config["rule_files"]
    assert mounts("prometheus")["/etc/prometheus/drs"] == PROMETHEUS
    (tmp_path / "prometheus.yml").write_text((COMPOSE / "prometheus.yml").read_text())
    (tmp_path / "drs").symlink_to(PROMETHEUS)
    assert list(tmp_path.glob(rules))
    promtool("check", "config", tmp_path / "prometheus.yml")


def test_grafana_finds_its_data_source_and_dashboards() -> None:
    provisioning = mounts("grafana")["/etc/grafana/provisioning"]
    (source,) = load(next((provisioning / "datasources").glob("*.yml")))["datasources"]
    assert source["type"] == "prometheus"
    assert source["isDefault"]
    assert is_served(source["url"])
    (provider,) = load(next((provisioning / "dashboards").glob("*.yml")))["providers"]
    assert len(list(ours("grafana", provider["options"]["path"]).glob("*.json"))) == 5


def test_the_demo_has_the_options_of_its_command() -> None:
    command = SERVICES["exporter"]["command"]
    assert f"--web.listen-address=:{port('exporter')}" in command
    ran = subprocess.run(
        [str(Path(sys.executable).parent / "drs-exporter"), command[0], "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--web.listen-address" in ran.stdout


def test_the_image_is_built_from_files_that_exist() -> None:
    build = SERVICES["exporter"]["build"]
    assert (COMPOSE / build["context"]).resolve() == ROOT
    assert ROOT / build["dockerfile"] == DOCKERFILE
    kept = re.findall(r"^!(.+)$", (DOCKERFILE.parent / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    lines = re.findall(r"^COPY ([^-].+) \S+$", DOCKERFILE.read_text(), re.MULTILINE)
    copied = [name for line in lines for name in line.split()]
    assert sorted(copied) == sorted(kept)
    assert all((ROOT / name).exists() for name in copied)


def test_the_lock_file_contains_the_build_tools_that_the_image_removes() -> None:
    (runtime,) = (stage for stage in STAGES if stage.startswith("packages AS runtime"))
    lost = runtime.partition("uninstall")[2].split("\\\n")[1].split()
    locked = re.findall(r"^([a-z-]+)==", (ROOT / "requirements" / "run.txt").read_text(), re.MULTILINE)
    assert set(lost) <= set(locked)
    assert "hatchling" in lost


def test_the_image_is_not_run_as_root_and_is_locked() -> None:
    text = DOCKERFILE.read_text()
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", STAGES[-1], re.MULTILINE)
    assert "sh scripts/install.sh pip requirements/run.txt" in text
    assert re.findall(r"^ARG BASE=(.+)$", text, re.MULTILINE) == ["python:3.11-slim"]
    assert {stage.split()[0] for stage in STAGES} == {"${BASE}", "packages"}


def test_the_build_fails_if_the_image_contains_pip() -> None:
    assert '! python -c "import pip"' in STAGES[-1]
    assert "--from=runtime" in STAGES[-1]  # a venv without pip
    assert "python -m venv --without-pip /opt/drs-exporter" in STAGES[0]


def test_the_labels_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="(.*)"', STAGES[-1]))
    assert labels == {
        "title": project["name"],
        "description": project["description"],
        "version": project["version"],
        "licenses": project["license"],
        "revision": "${REVISION}",
        "source": "${PROJECT_URL}",
    }


def test_hadolint_accepts_the_dockerfile() -> None:
    command = [str(Path(sys.executable).parent / "hadolint"), str(DOCKERFILE)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_files_for_provisioning_are_yaml() -> None:
    files = sorted((COMPOSE / "grafana").rglob("*.yml"))
    assert [yaml.safe_load(file.read_text())["apiVersion"] for file in files] == [1, 1]
