"""nginx in front of the exporter: it keeps the prefix of all paths, or removes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from string import Template

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.browser import Open
from tests.e2e.programs import LISTEN, TIMEOUT, Exporter, Program, free_port, get
from tests.lib.tools import needs, tool

pytestmark = needs("nginx", "chromium")
_NGINX = Template("""
master_process off; daemon off; pid $folder/pid; error_log stderr error;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path $folder/a; proxy_temp_path $folder/b; fastcgi_temp_path $folder/c;
  uwsgi_temp_path $folder/d; scgi_temp_path $folder/e;
  server { listen 127.0.0.1:$port;
    location /ops/drs/ { proxy_pass $target; proxy_set_header Host $$host; } }
}
""")


@pytest.fixture(params=["kept", "removed"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Exporter]]:
    """The URL of the status page at nginx, which keeps or removes the prefix, and the demo behind it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/ops/drs"
    options = [f"--web.external-url={url}"] + ([] if request.param == "kept" else ["--web.route-prefix=/"])
    with Exporter("demo", LISTEN, *options, folder=tmp_path / "demo") as exporter:
        origin = exporter.ready().url.removesuffix("/ops/drs")
        file = tmp_path / "nginx.conf"
        target = origin if request.param == "kept" else f"{origin}/"
        file.write_text(_NGINX.substitute(folder=tmp_path, port=port, target=target), encoding="utf-8")
        command = [tool("nginx"), "-c", str(file), "-p", str(tmp_path), "-e", "stderr"]
        with Program(command, tmp_path / "out") as proxy:
            proxy.until(lambda: serves(f"{url}/-/ready"), "nginx serves")
            yield url, exporter


def serves(url: str) -> bool:
    try:
        return get(url).is_success
    except httpx.ConnectError:
        return False


def test_links_forms_and_updates_work_below_the_prefix(site: tuple[str, Exporter], visit: Open) -> None:
    url, exporter = site
    assert f"status page  {url}/" in exporter.stdout
    assert get(f"{url}/metrics").text.startswith("# HELP")
    assert get(f"{url}/-/healthy").status_code == 200
    for script in (True, False):
        page = visit(f"{url}/", java_script_enabled=script)
        page.get_by_role("searchbox").fill("orders")
        page.get_by_role("button", name="Show").click()
        expect(page.locator(".matched")).to_contain_text("1 of ")
        assert page.url == f"{url}/?q=orders" + ("" if script else "&phase=&project=&cutover=&sort=phase")
        page.get_by_role("link", name="orders-to-rds").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("orders-to-rds")
        page.get_by_role("link", name="demo / cn-north-4").click()
        expect(page.locator(".matched")).to_contain_text("subtasks found")
        for name in ("Changes", "JSON", "Metrics"):
            address = page.get_by_role("link", name=name).evaluate("link => link.href")
            assert get(address).status_code == 200
    page = visit(f"{url}/")
    with page.expect_response(lambda response: response.url == f"{url}/", timeout=TIMEOUT * 1000) as response:
        page.clock.run_for(5000)  # the script fetches the page again
    assert response.value.status == 200
    expect(page.locator("#live")).to_have_text("live,")
