"""The city's identity provider, by OpenID Connect: authorization code flow with PKCE (OpenID Connect Core 1.0)."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from core.clock import Clock
from core.roles import Role
from core.settings import OidcSettings

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures of ID tokens that are accepted: none without a key, none with a shared one."""
METADATA_LIFETIME = dt.timedelta(hours=1)
LEEWAY_S = 60
TIMEOUT_S = 5.0


class ProviderError(Exception):
    """Base of what can go wrong with a provider.

    ProviderError
    ├── ProviderUnavailable: it does not answer, or not as a provider does
    └── NotVouchedFor: its answer does not prove who the person is
    """


class ProviderUnavailable(ProviderError):
    """The provider does not answer, or not as a provider does."""


class NotVouchedFor(ProviderError):
    """The provider's answer does not prove who the person is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom the provider vouches for."""

    issuer: str
    subject: str
    claims: Mapping[str, Any]

    def text(self, *names: str) -> str:
        """The first of the claims that is a text; empty if none is."""
        values = (self.claims.get(name) for name in names)
        return next((value for value in values if isinstance(value, str) and value.strip()), "")


class Provider:
    """Sends people to the provider and reads what they come back with."""

    def __init__(self, settings: OidcSettings, clock: Clock) -> None:
        """Take settings that have an issuer.

        Raises:
            ValueError: they have none.
        """
        if settings.issuer is None:
            raise ValueError("there is no issuer")
        self.issuer = settings.issuer
        self._settings = settings
        self._clock = clock
        self._metadata: dict[str, Any] | None = None
        self._fetched_at = clock.now()
        self._keys: KeySet | None = None
        self._lock = asyncio.Lock()

    @staticmethod
    def new_verifier() -> str:
        """A secret of PKCE (RFC 7636) for one sign-in."""
        return secrets.token_urlsafe(48)

    async def authorization(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """The address at the provider to send a person to.

        Raises:
            ProviderUnavailable: it does not answer.
        """
        async with self._client(redirect_uri) as client:
            endpoint = await self._endpoint(client, "authorization_endpoint")
            address, _ = client.create_authorization_url(endpoint, state=state, code_verifier=verifier, nonce=nonce)
        return str(address)

    async def person(self, *, redirect_uri: str, code: str, issuer: str | None, nonce: str, verifier: str) -> Person:
        """Exchange a code for the person that it stands for.

        Args:
            redirect_uri: the one that the code was asked for with.
            code: what came back.
            issuer: who it says that it comes from (RFC 9207), if it says so.
            nonce: the one that was sent.
            verifier: the one that was sent as a hash.

        Raises:
            ProviderUnavailable: it does not answer.
            NotVouchedFor: the answer does not prove who the person is.
        """
        async with self._client(redirect_uri) as client:
            metadata = await self._discover(client)
            if issuer not in ((self.issuer,) if _names_issuer(metadata) else (self.issuer, None)):
                raise NotVouchedFor("the answer is from another issuer")
            token = await self._token(client, metadata, code=code, verifier=verifier)
            claims = await self._claims(client, token, nonce=nonce)
            claims = {**await self._userinfo(client, metadata, token, subject=claims["sub"]), **claims}
        return Person(issuer=self.issuer, subject=claims["sub"], claims=claims)

    def roles(self, person: Person) -> frozenset[Role] | None:
        """The roles that a person's claim gives; None where roles are not the provider's business."""
        if self._settings.roles_claim is None:
            return None
        found: Any = person.claims
        for part in self._settings.roles_claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        values = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        mapping = self._settings.roles
        return frozenset(mapping[value] for value in values if isinstance(value, str) and value in mapping)

    def end_address(self, *, back: str) -> str | None:
        """Where a person can sign out at the provider too, if that is known; `back` is where it leads then."""
        endpoint = (self._metadata or {}).get("end_session_endpoint")
        if not isinstance(endpoint, str):
            return None
        query = urlencode({"client_id": self._settings.client_id, "post_logout_redirect_uri": back})
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"

    def _client(self, redirect_uri: str) -> AsyncOAuth2Client:
        secret = self._settings.client_secret
        return AsyncOAuth2Client(
            client_id=self._settings.client_id,
            client_secret=secret.get_secret_value() if secret else None,
            scope=self._settings.scopes,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
            follow_redirects=False,
        )

    async def _discover(self, client: AsyncOAuth2Client) -> dict[str, Any]:
        """The provider's description of itself, kept for an hour."""
        async with self._lock:
            fresh = self._clock.now() - self._fetched_at < METADATA_LIFETIME
            if self._metadata is None or not fresh:
                address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
                metadata = await _json(client, address)
                if metadata.get("issuer") != self.issuer:
                    raise ProviderUnavailable("the provider has another issuer than the settings")
                self._metadata, self._fetched_at, self._keys = metadata, self._clock.now(), None
            return self._metadata

    async def _endpoint(self, client: AsyncOAuth2Client, name: str) -> str:
        endpoint = (await self._discover(client)).get(name)
        if not isinstance(endpoint, str):
            raise ProviderUnavailable(f"the provider has no {name}")
        return endpoint

    async def _token(
        self, client: AsyncOAuth2Client, metadata: dict[str, Any], *, code: str, verifier: str
    ) -> dict[str, Any]:
        methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if self._settings.client_secret and "client_secret_basic" not in methods:
            client.token_endpoint_auth_method = "client_secret_post"
        endpoint = await self._endpoint(client, "token_endpoint")
        try:
            token: dict[str, Any] = await client.fetch_token(
                endpoint, grant_type="authorization_code", code=code, code_verifier=verifier
            )
        except OAuthError as error:
            raise NotVouchedFor(f"the code is refused: {error.error}") from None
        except (httpx2.HTTPError, ValueError) as error:
            raise ProviderUnavailable(type(error).__name__) from None
        return token

    async def _claims(self, client: AsyncOAuth2Client, token: dict[str, Any], *, nonce: str) -> dict[str, Any]:
        """The claims of an ID token, checked."""
        id_token = token.get("id_token")
        if not isinstance(id_token, str):
            raise NotVouchedFor("there is no ID token")
        client_id = self._settings.client_id
        wanted = jwt.JWTClaimsRegistry(
            now=int(self._clock.now().timestamp()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims = await self._verified(client, id_token)
            wanted.validate(claims)
        except (JoseError, ValueError) as error:
            raise NotVouchedFor(f"the ID token is not right: {error}") from None
        others = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if others else client_id) != client_id:
            raise NotVouchedFor("the ID token is for another client")
        return claims

    async def _verified(self, client: AsyncOAuth2Client, id_token: str) -> dict[str, Any]:
        """The claims of an ID token whose signature is right; an unknown key is asked for once."""
        if self._keys is not None:
            try:
                return jwt.decode(id_token, self._keys, algorithms=ALGORITHMS).claims
            except InvalidKeyIdError:
                pass
        self._keys = KeySet.import_key_set(await _json(client, await self._endpoint(client, "jwks_uri")))  # type: ignore[arg-type]
        return jwt.decode(id_token, self._keys, algorithms=ALGORITHMS).claims

    async def _userinfo(
        self, client: AsyncOAuth2Client, metadata: dict[str, Any], token: dict[str, Any], *, subject: str
    ) -> dict[str, Any]:
        """What the provider tells besides; many put only the subject into the ID token."""
        endpoint = metadata.get("userinfo_endpoint")
        if not isinstance(endpoint, str) or "access_token" not in token:
            return {}
        claims = await _json(client, endpoint, headers={"Authorization": f"Bearer {token['access_token']}"})
        if claims.get("sub") != subject:
            raise NotVouchedFor("the user info is about another person")
        return claims


def _names_issuer(metadata: dict[str, Any]) -> bool:
    return metadata.get("authorization_response_iss_parameter_supported") is True


async def _json(client: AsyncOAuth2Client, address: str, *, headers: dict[str, str] | None = None) -> dict[str, Any]:
    try:
        response = await client.request("GET", address, withhold_token=True, headers=headers or {})
        response.raise_for_status()
        found = response.json()
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        raise ProviderUnavailable(type(error).__name__) from None
    if not isinstance(found, dict):
        raise ProviderUnavailable("the provider's answer has another form")
    return found
