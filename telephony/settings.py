"""All settings of the telephone, from one file (`telephony.toml`, see telephony/telephony.example.toml)."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from telephony import hold
from telephony.call import Manners
from telephony.endpointing import PROFILES, Profile
from telephony.errors import SettingsInvalid
from telephony.pbx import PbxSettings
from telephony.prompts import Expects, Option
from telephony.wishes import COMPLETE


class Section(BaseModel):
    """A part of the file; what it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ServiceSettings(Section):
    """Where the chat service is."""

    url: str = Field(default="http://127.0.0.1:8000", pattern=r"^https?://")
    site: str = "jena"
    credential: SecretStr | None = None
    """What allows us to begin conversations of the phone."""
    credential_file: Path | None = None
    """The file that the service writes it to, if it is not given here."""
    answer_within: dt.timedelta = Field(default=dt.timedelta(seconds=8), gt=dt.timedelta())
    """After so long without an answer the caller goes to staff."""
    lost_after: dt.timedelta = Field(default=dt.timedelta(seconds=10), gt=dt.timedelta())
    """How long a waiting caller's event stream may be interrupted."""

    @model_validator(mode="after")
    def _has_one_credential(self) -> Self:
        if (self.credential is None) == (self.credential_file is None):
            raise ValueError("needs either credential or credential_file")
        return self

    def shown(self) -> str:
        """The credential.

        Raises:
            SettingsInvalid: its file is missing or empty.
        """
        if self.credential is not None:
            return self.credential.get_secret_value()
        assert self.credential_file is not None
        try:
            credential = self.credential_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsInvalid(f"{self.credential_file} cannot be read. Has the service been started?") from error
        if not credential:
            raise SettingsInvalid(f"{self.credential_file} is empty.")
        return credential


class BridgeSettings(Section):
    """Where the exchange connects calls to."""

    host: str = "127.0.0.1"
    port: int = Field(default=9092, ge=0, le=65_535)
    max_calls: int = Field(default=100, ge=1)
    """Calls at the same time; those beyond it go to staff."""
    threads: int = Field(default=2, ge=1)
    """For recognition and detection of speech."""


class RecognitionSettings(Section):
    """How callers are understood."""

    model: Path | None = None
    """Folder of a Vosk model; without one the phone works by keys."""
    unsure_below: float = Field(default=0.5, ge=0, le=1)
    """What is less certain is read back before it is answered."""


class VoiceSettings(Section):
    """How the bot speaks."""

    model: Path | None = None
    """A Piper voice (`.onnx`, with its `.onnx.json` beside it); without one espeak-ng speaks."""
    workers: int = Field(default=2, ge=1)
    """Sentences that are synthesised at the same time."""
    threads: int = Field(default=2, ge=1)
    """Threads for each of them."""


class ProfileSettings(Section):
    """How patient to be with one kind of answer, in ms; what is not set stays as it is."""

    trailing: int | None = Field(default=None, ge=100, le=5_000)
    """Silence that ends an answer."""
    patience: int | None = Field(default=None, ge=1_000, le=60_000)
    """Silence without any answer until the caller is asked again."""
    longest: int | None = Field(default=None, ge=1_000, le=120_000)
    """Longest answer."""


class Topic(Section):
    """A question that a key stands for, where no other choice is offered."""

    label: str = Field(min_length=1, max_length=60)
    question: str = Field(min_length=1, max_length=200)


class ConversationSettings(Section):
    """How calls are held."""

    city: str = "Jena"
    central_number: str = "03641 49-0"
    """Is told where nothing else helps."""
    elderly: bool = False
    """Be more patient with everybody, as with those who ask us to speak slowly."""
    patience: dict[Expects, ProfileSettings] = {}
    comfort_after: dt.timedelta = Field(default=dt.timedelta(seconds=1.5), gt=dt.timedelta())
    """After so long without an answer the caller is asked for patience."""
    place_every: dt.timedelta = Field(default=dt.timedelta(seconds=30), ge=dt.timedelta(seconds=5))
    """How often who waits is told the place in the queue."""
    at_once: int = Field(default=3, ge=1, le=9)
    """Sentences of an answer, and entries of a list, after which the caller is asked for more."""
    hold_sound: Path | None = None
    """A quiet sound for those who wait, as WAV of 8 kHz, 16 bit, one channel; soft notes of our own without one."""
    topics: tuple[Topic, ...] = Field(default=(), max_length=9)


class TelephonySettings(Section):
    """What an operator can set."""

    service: ServiceSettings
    pbx: PbxSettings
    bridge: BridgeSettings = BridgeSettings()
    recognition: RecognitionSettings = RecognitionSettings()
    voice: VoiceSettings = VoiceSettings()
    conversation: ConversationSettings = ConversationSettings()

    @field_validator("pbx")
    @classmethod
    def _has_a_secret(cls, pbx: PbxSettings) -> PbxSettings:
        if not pbx.secret.get_secret_value():
            raise ValueError("needs a secret")
        return pbx

    @classmethod
    def read(cls, file: Path) -> Self:
        """The settings of a file; paths in it are relative to it.

        Raises:
            SettingsInvalid: there is no such file, or something in it is wrong; secrets are not repeated.
        """
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingsInvalid(f"{file} cannot be read. telephony/telephony.example.toml is an example.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsInvalid(f"{file} is not valid TOML: {error}") from error
        try:
            return cls.model_validate(_absolute(content, file.parent))
        except ValidationError as error:
            wrong = error.errors(include_input=False, include_url=False, include_context=False)
            lines = [f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in wrong]
            raise SettingsInvalid("\n".join([f"{file}:", *lines])) from None

    def names(self) -> dict[str, str]:
        """What phrases may name."""
        return {"city": self.conversation.city, "phone": self.conversation.central_number}

    def profiles(self) -> Mapping[str, Profile]:
        """How patient to be, by what is expected."""
        profiles = {}
        for name, profile in PROFILES.items():
            wish = self.conversation.patience.get(Expects(name), ProfileSettings())
            complete = COMPLETE if name == Expects.YES_NO.value else profile.complete
            changed = replace(profile, complete=complete, **wish.model_dump(exclude_none=True))
            profiles[name] = changed.slower() if self.conversation.elderly else changed
        return profiles

    def manners(self) -> Manners:
        """How a call is held."""
        return Manners(
            comfort_s=self.conversation.comfort_after.total_seconds(),
            place_again_s=self.conversation.place_every.total_seconds(),
            unsure_below=self.recognition.unsure_below,
            at_once=self.conversation.at_once,
            keys_only=self.recognition.model is None,
        )

    def hold_sound(self) -> bytes:
        """What is heard while waiting, as telephony.audio has it.

        Raises:
            SettingsInvalid: the file of it is missing, or no such sound.
        """
        file = self.conversation.hold_sound
        return hold.soft() if file is None else hold.read(file)

    def topics(self) -> list[Option]:
        """What keys stand for."""
        return [Option(topic.label, text=topic.question) for topic in self.conversation.topics]


_PATHS = (
    ("service", "credential_file"),
    ("recognition", "model"),
    ("voice", "model"),
    ("conversation", "hold_sound"),
)


def _absolute(content: dict[str, object], folder: Path) -> dict[str, object]:
    """The content with its paths relative to the file's folder."""
    for section, name in _PATHS:
        values = content.get(section)
        if isinstance(values, dict) and isinstance(values.get(name), str):
            values[name] = str(folder / values[name])
    return content
