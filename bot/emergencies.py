"""The reply to an emergency: the number to call, at once and without asking anything else."""

from __future__ import annotations

from bot.models import Action, Answer, Reply
from bot.replies import Replies
from nlu.emergency import Emergency

NUMBERS = {
    Emergency.MEDICAL: ("112",),
    Emergency.POLICE: ("110",),
    Emergency.CRISIS: ("116 123", "112"),
}
"""European emergency call, police, and the telephone counselling service (Telefonseelsorge, free at any hour)."""


def emergency_reply(replies: Replies, emergency: Emergency) -> Reply:
    """The reply to an emergency, with its numbers as calls."""
    actions = [
        Action(kind="call", label=replies.phrase("action.call", number=number), url=f"tel:{number.replace(' ', '')}")
        for number in NUMBERS[emergency]
    ]
    answer = Answer(kind="emergency", actions=actions)
    return replies.say(f"emergency.{emergency.value}", answer=answer)
