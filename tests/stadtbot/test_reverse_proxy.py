"""The nginx example of `docs/reverse-proxy.md` in front of a running service."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from stadtbot.settings import ROOT
from tests.running import RunningService, free_port, running_service
from tests.staff_client import PASSWORD, add_staff

pytestmark = pytest.mark.slow

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CITIZEN, OTHER_CITIZEN, STAFF = "127.0.0.2", "127.0.0.3", "127.0.0.9"
"""Addresses from which clients come: all of 127.0.0.0/8 is loopback."""

MAIN = """
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/main.log crit;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/stadtbot.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Proxied:
    """A service behind nginx."""

    service: RunningService
    url: str
    plain_url: str
    trusted: ssl.SSLContext
    access_log: Path

    def client(self, address: str = CITIZEN, **headers: str) -> httpx.Client:
        """A client that comes from an address."""
        transport = httpx.HTTPTransport(verify=self.trusted, local_address=address)
        return httpx.Client(base_url=self.url, transport=transport, timeout=20, headers=headers)


def certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "chat.example.org")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def example(folder: Path, *, upstream: str, ports: tuple[int, int]) -> str:
    """The page's example with the test's ports, files and networks in it."""
    page = (ROOT / "docs" / "reverse-proxy.md").read_text(encoding="utf-8")
    found = re.search(r"^```nginx\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert found is not None
    text = re.sub(r"^ *listen \[::\].*\n", "", found[1], flags=re.MULTILINE)
    changes = {
        "server 127.0.0.1:8000;": f"server {upstream};",
        "listen 80;": f"listen 127.0.0.1:{ports[0]};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{ports[1]} ssl http2;",
        "/etc/ssl/stadtbot/": f"{folder}/",
        "/var/log/nginx/": f"{folder}/",
        "allow 10.0.0.0/8;": f"allow {STAFF};",
    }
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    if NGINX is None:
        pytest.skip("install the package nginx-light")
    folder = tmp_path_factory.mktemp("nginx")
    certificate(folder)
    ports = (free_port(), free_port())
    settings = {"STADTBOT_RASA_URL": "http://127.0.0.1:9", "STADTBOT_CHAT__CONVERSATIONS_LIMIT": "3/hour"}
    with running_service(tmp_path_factory.mktemp("proxied"), **settings) as service:
        (folder / "stadtbot.conf").write_text(
            example(folder, upstream=service.url.removeprefix("http://"), ports=ports)
        )
        user = "user root root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
        command = [NGINX, "-p", str(folder), "-e", str(folder / "main.log"), "-c", str(folder / "nginx.conf")]
        checked = subprocess.run([*command, "-t"], capture_output=True, encoding="utf-8", check=False)
        assert checked.returncode == 0, checked.stderr
        assert "warn" not in checked.stderr
        process = subprocess.Popen([*command, "-g", "daemon off;"])
        try:
            _wait_for(ports[1])
            yield Proxied(
                service=service,
                url=f"https://127.0.0.1:{ports[1]}",
                plain_url=f"http://127.0.0.1:{ports[0]}",
                trusted=ssl.create_default_context(cafile=folder / "fullchain.pem"),
                access_log=folder / "stadtbot.log",
            )
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_for(port: int) -> None:
    for _ in range(100):
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx does not listen")


def start(client: httpx.Client) -> tuple[str, dict[str, str]]:
    """A new conversation: its path and the headers for it."""
    created = client.post("/api/chat/conversations", json={"site": "jena", "channel": "web", "language": "de"})
    created.raise_for_status()
    body = created.json()
    return f"/api/chat/conversations/{body['id']}", {"Authorization": f"Bearer {body['token']}"}


def test_plain_http_leads_to_https(proxied: Proxied) -> None:
    response = httpx.get(f"{proxied.plain_url}/demo?x=1")
    assert response.status_code == httpx.codes.PERMANENT_REDIRECT
    assert response.headers["location"] == "https://127.0.0.1/demo?x=1"


def test_http_2_is_spoken(proxied: Proxied) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    plain = socket.create_connection(("127.0.0.1", httpx.URL(proxied.url).port or 0))
    with context.wrap_socket(plain) as secured:
        assert secured.selected_alpn_protocol() == "h2"


def test_events_arrive_at_once(proxied: Proxied) -> None:
    with proxied.client() as client:
        path, headers = start(client)
        arrived: list[tuple[str, float]] = []
        opened, over = threading.Event(), threading.Event()

        def follow() -> None:
            with proxied.client() as follower, follower.stream("GET", f"{path}/events", headers=headers) as stream:
                for line in stream.iter_lines():
                    arrived.append((line, time.monotonic()))
                    opened.set()
                    if "Hallo Proxy" in line:
                        over.set()
                        return

        thread = threading.Thread(target=follow)
        thread.start()
        assert opened.wait(5)
        said = time.monotonic()
        client.post(f"{path}/messages", headers=headers, json={"text": "Hallo Proxy"}).raise_for_status()
        assert over.wait(5), "the stream is buffered"
        thread.join()
        assert arrived[-1][1] - said < 2


def test_answers_carry_the_security_headers_once(proxied: Proxied) -> None:
    with proxied.client() as client:
        for path in ("/", "/api/chat/sites/jena", "/widget/stadtbot.js", "/nothing"):
            headers = client.get(path).headers
            assert headers.get_list("Strict-Transport-Security") == ["max-age=31536000"]
            assert len(headers.get_list("Content-Security-Policy")) == 1
            assert headers.get_list("X-Content-Type-Options") == ["nosniff"]
            assert "uvicorn" not in headers.get("server", "")


def test_cookies_of_staff_are_secure(proxied: Proxied) -> None:
    add_staff(proxied.service, "agent1")
    with proxied.client(STAFF, Origin=proxied.url) as client:
        response = client.post("/mitarbeit/anmelden", data={"login": "agent1", "password": PASSWORD})
        cookies = response.headers.get_list("set-cookie")
        assert any(cookie.startswith("__Host-mitarbeit=") for cookie in cookies)
        assert all("Secure" in cookie and "HttpOnly" in cookie for cookie in cookies)
        assert client.get("/mitarbeit", follow_redirects=True).status_code == httpx.codes.OK


def test_workspace_is_for_the_city_s_network(proxied: Proxied) -> None:
    for path in ("/mitarbeit", "/mitarbeit/anmelden", "/mitarbeit/api/events", "/mitarbeit/../mitarbeit/anmelden"):
        with proxied.client(CITIZEN) as outside:
            assert outside.get(path).status_code == httpx.codes.FORBIDDEN
    with proxied.client(STAFF) as inside:
        assert inside.get("/mitarbeit/anmelden").status_code == httpx.codes.OK


def test_large_bodies_are_refused(proxied: Proxied) -> None:
    with proxied.client() as client:
        response = client.post("/api/chat/conversations", content=b" " * 70_000)
        assert response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


def test_metrics_stay_inside(proxied: Proxied) -> None:
    with proxied.client() as client:
        assert client.get("/metrics").status_code == httpx.codes.NOT_FOUND


def test_limits_count_the_citizen_and_not_the_proxy(proxied: Proxied) -> None:
    with proxied.client("127.0.0.4") as client:
        codes = [_create(client) for _ in range(4)]
        assert codes == [201, 201, 201, 429]
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            assert _create(client, **{header: "203.0.113.7"}) == 429, "a client can lie about its address"
    with proxied.client(OTHER_CITIZEN) as client:
        assert _create(client) == 201


def _create(client: httpx.Client, **headers: str) -> int:
    body = {"site": "jena", "channel": "web", "language": "de"}
    return client.post("/api/chat/conversations", json=body, headers=headers).status_code


def test_origin_of_the_own_page_is_known_behind_the_proxy(proxied: Proxied) -> None:
    with proxied.client("127.0.0.5") as client:
        assert _create(client, Origin=proxied.url) == 201
        assert _create(client, Origin="https://elsewhere.example") == 403


def test_access_log_names_nobody(proxied: Proxied) -> None:
    with proxied.client("127.0.0.6") as client:
        path, headers = start(client)
        client.get(f"{path}/messages", headers=headers, params={"after": 0, "name": "Kunigunde"})
        client.get("/mitarbeit/Kunigunde")
    text = _settled(proxied.access_log, "messages")
    assert path.rpartition("/")[2] not in text
    assert "Kunigunde" not in text
    assert "127.0.0.6" not in text
    assert "127.0.0.0 [" in text
    assert '"GET /api/chat/conversations/*/messages" 200' in text


def _settled(log: Path, awaited: str) -> str:
    """The log once a line is in it."""
    for _ in range(100):
        if awaited in (text := log.read_text()):
            return text
        time.sleep(0.05)
    raise AssertionError("nothing was logged")
