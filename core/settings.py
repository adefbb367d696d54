"""Settings of staff's accounts and of how they sign in."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, Field, SecretStr

from core.roles import Role

SESSION_LIFETIME = dt.timedelta(hours=12)
SESSION_IDLE = dt.timedelta(minutes=60)
AUDIT_LIFETIME = dt.timedelta(days=400)
INACTIVE_LIFETIME = dt.timedelta(days=400)


class OidcSettings(BaseModel):
    """The city's identity provider (OpenID Connect). Without an issuer there is none."""

    issuer: str | None = Field(default=None, pattern=r"^(https://|http://(127\.0\.0\.1|localhost)[:/])")
    """The provider's address, under which `/.well-known/openid-configuration` lies."""
    client_id: str = ""
    client_secret: SecretStr | None = None
    label: str | None = None
    """What the button says; a neutral sentence where it is not set."""
    scopes: str = "openid profile email"
    roles_claim: str | None = None
    """The claim that names a person's groups; without it roles are given in the workspace."""
    roles: dict[str, Role] = {}
    """Which value of the claim gives which role."""
    create_accounts: bool = False
    """Whether a person without an account gets one at the first sign-in."""


class StaffSettings(BaseModel):
    """How long sessions and audit entries live, and how often a sign-in may be tried."""

    session_lifetime: dt.timedelta = Field(default=SESSION_LIFETIME, gt=dt.timedelta(), le=dt.timedelta(days=1))
    """After how long a session ends, however much it is used."""
    session_idle: dt.timedelta = Field(default=SESSION_IDLE, gt=dt.timedelta())
    """After how long without use a session ends."""
    audit_lifetime: dt.timedelta = Field(default=AUDIT_LIFETIME, gt=dt.timedelta())
    """After how long an entry of the audit log is erased."""
    inactive_lifetime: dt.timedelta = Field(default=INACTIVE_LIFETIME, gt=dt.timedelta())
    """After how long an account that is switched off is erased."""
    signins_per_address: str = "30/5 minutes"
    """Tries to sign in from one address."""
    signins_per_login: str = "10/15 minutes"
    """Tries to sign in to one account."""
    oidc: OidcSettings = OidcSettings()
