"""What can go wrong on the telephone.

TelephonyError
├── LineClosed: the caller has gone
├── ModelMissing: a model that the settings name is not there
├── SynthesisFailed: a text could not be spoken
├── PbxUnreachable: the telephone exchange does not answer
├── PbxRefused: the telephone exchange says no
├── ServiceFailed: the chat service does not answer, or answers with nonsense
│   └── ConversationGone: it has ended or was erased
├── NotReachable: no human takes the call now
├── NotAccepted: the service cannot do anything with what was said
└── SettingsInvalid: the settings file cannot be used
"""

from __future__ import annotations


class TelephonyError(Exception):
    """Base of the room's errors."""


class LineClosed(TelephonyError):
    """There is no such call, or no longer."""


class ModelMissing(TelephonyError):
    """Recognition or voice cannot be loaded."""


class SynthesisFailed(TelephonyError):
    """Neither voice spoke."""


class PbxUnreachable(TelephonyError):
    """No connection to the exchange, or no answer in time."""


class PbxRefused(TelephonyError):
    """Wrong password or missing right, or an extension that cannot be."""


class ServiceFailed(TelephonyError):
    """The conversation cannot go on."""


class ConversationGone(ServiceFailed):
    """The service knows the conversation no more, or it is closed."""


class NotReachable(TelephonyError):
    """No human can be reached; `speech` says when one can."""

    def __init__(self, speech: str) -> None:
        super().__init__("no human can be reached")
        self.speech = speech


class NotAccepted(TelephonyError):
    """What was sent is not valid; `code` names the problem and `fields` the fields of a form that are wrong."""

    def __init__(self, code: str, fields: frozenset[str] = frozenset()) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields


class SettingsInvalid(TelephonyError):
    """There is no such file, or something in it is wrong."""
