"""`tasks --url` and `explain --url` on a running exporter, with TLS and a password."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.e2e.programs import COMMAND, Exporter, run
from tests.e2e.secured import LOGIN, Secured
from tests.lib.certificates import Authority
from tests.lib.tools import needs


def test_a_running_exporter_is_read_without_a_configuration(demo: Exporter) -> None:
    done = run(COMMAND, "tasks", f"--url={demo.url}")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^orders-to-rds +demo/cn-north-4/cn-north-4 +incremental ", done.stdout, re.MULTILINE)
    done = run(COMMAND, "explain", "orders-to-rds", f"--url={demo.url}/", "--output=json")
    assert (done.returncode, done.stderr, json.loads(done.stdout)["task_name"]) == (0, "", "orders-to-rds")
    assert run(COMMAND, "explain", "legacy-crm", f"--url={demo.url}", "--exit-code").returncode == 5


@needs("openssl")
def test_tls_and_a_password(secured: Secured, authority: Authority, tmp_path: Path) -> None:
    file, (user, password) = tmp_path / "http.yml", LOGIN
    (tmp_path / "password").write_text(f"{password}\n")
    url = secured.url.replace("127.0.0.1", "localhost")

    def tasks(config: str) -> tuple[int, str, str]:
        file.write_text(config)
        done = run(COMMAND, "tasks", f"--url={url}", f"--http.config.file={file}")
        return done.returncode, done.stdout, done.stderr.removeprefix(f"drs-exporter: {url}: ")

    tls = f"tls_config: {{ca_file: {authority.cert}}}\n"
    code, out, err = tasks(f"{tls}basic_auth: {{username: {user}, password_file: password}}\n")
    assert (code, err, "orders-to-rds" in out) == (0, "", True)
    code, out, err = tasks(f"{tls}basic_auth: {{username: {user}, password: pear}}\n")
    assert (code, out, err.startswith("401: it needs a user and password, or refuses these")) == (1, "", True)
    code, out, err = tasks(f"basic_auth: {{username: {user}, password: {password}}}\n")
    assert (code, out, err.startswith("its TLS certificate is not trusted, or is for another name")) == (1, "", True)
    assert password not in err
