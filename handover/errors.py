"""What can go wrong between citizens and agents.

HandoverError
├── UnknownHandover: there is none, or it has ended
├── UnknownNotice: there is none
├── Taken: somebody else has it, or it is offered to somebody else
├── NotYours: the conversation is with another agent, or with none
├── AtCapacity: the agent has as many conversations as one may have
├── NoExtension: a caller cannot be put through to an agent without a telephone
├── UnknownColleague: the colleague is not there, or cannot take the conversation
├── UnknownDepartment: nobody of the department can be reached
├── EmptyText: nothing was said
└── Changed: somebody else has changed the record meanwhile
"""

from __future__ import annotations


class HandoverError(Exception):
    """Base of the room's errors. `code` names the sentence that explains it (`problem.<code>`)."""

    code = "handover-failed"


class UnknownHandover(HandoverError):
    """There is no such handover, callback or reply any more."""

    code = "unknown-handover"


class UnknownNotice(HandoverError):
    """There is no such notice."""

    code = "unknown-notice"


class Taken(HandoverError):
    """A colleague was quicker."""

    code = "already-taken"


class NotYours(HandoverError):
    """Only the agent who has a conversation may act in it."""

    code = "not-yours"


class AtCapacity(HandoverError):
    """The agent has no room for another conversation."""

    code = "at-capacity"


class NoExtension(HandoverError):
    """A caller cannot be put through."""

    code = "no-extension"


class Changed(HandoverError):
    """The record is not as it was when the person read it."""

    code = "changed-meanwhile"


class UnknownColleague(HandoverError):
    """The colleague is not there, or cannot take the conversation."""

    code = "unknown-colleague"


class UnknownDepartment(HandoverError):
    """Nobody of the department can be reached at present."""

    code = "unknown-department"


class EmptyText(HandoverError):
    """Nothing was said."""

    code = "empty-text"
