"""All settings, from the environment (`STADTBOT_…`, nested with `__`) or a file `.env` beside the project."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.settings import ChatSettings
from core.settings import StaffSettings
from handover.settings import HandoverSettings
from knowledge.settings import KnowledgeSettings

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """What an operator can set. Everything has a default with which the demo city runs on one machine."""

    model_config = SettingsConfigDict(
        env_prefix="STADTBOT_", env_nested_delimiter="__", env_file=".env", extra="ignore", frozen=True
    )

    host: str = "127.0.0.1"
    """Address on which citizens' requests arrive."""
    port: int = Field(default=8000, ge=0, le=65535)
    actions_port: int = Field(default=5055, ge=1, le=65535)
    """Port of the loopback listener: Rasa calls the actions there, and Prometheus reads `/metrics`."""
    rasa_port: int = Field(default=5005, ge=1, le=65535)
    """Loopback port of the Rasa process that the service starts."""
    rasa_url: str | None = None
    """A Rasa server that runs elsewhere; the service then starts none."""
    actions_secret: SecretStr | None = None
    """What Rasa must show; needed only where Rasa runs elsewhere, else made anew at every start."""
    state_folder: Path = ROOT / "var"
    database_url: str | None = None
    """SQLAlchemy address; SQLite in the state folder where it is not set."""
    rasa_database_url: str | None = None
    """Where Rasa keeps its conversations, an SQLAlchemy address; SQLite in the state folder where it is not set."""
    city_folder: Path = ROOT / "training_data" / "cities" / "jena"
    trusted_proxies: str = "127.0.0.1,::1"
    """Addresses, separated by commas, whose `X-Forwarded-For` is believed."""
    limits_storage: str = "memory://"
    """Where limits are counted: `memory://` or a Redis address."""
    encryption_keys: SecretStr | None = None
    """Keys for what is stored encrypted, the newest first, separated by commas; a file in the state folder if unset."""
    service_credential: SecretStr | None = None
    """What the phone bridge and kiosks show; a file in the state folder if unset."""
    chat: ChatSettings = ChatSettings()
    handover: HandoverSettings = HandoverSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    staff: StaffSettings = StaffSettings()

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.state_folder / 'stadtbot.db'}"

    @property
    def rasa_database(self) -> str:
        return self.rasa_database_url or f"sqlite:///{self.state_folder / 'rasa.db'}"

    @property
    def credential_file(self) -> Path:
        return self.state_folder / "service.credential"

    @property
    def encryption_file(self) -> Path:
        return self.state_folder / "encryption.keys"
