"""What can go wrong on the telephone.

TelephonyError
├── LineClosed: the caller has gone
├── ModelMissing: a model that the settings name is not there
├── SynthesisFailed: a text could not be spoken
├── PbxUnreachable: the telephone exchange does not answer
├── PbxRefused: the telephone exchange says no
└── ServiceFailed: the chat service does not answer, or answers with nonsense
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
