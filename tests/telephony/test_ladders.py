"""How often something is asked again."""

from __future__ import annotations

from telephony.ladders import Ladder, Ladders, Tries


def test_after_two_more_tries_it_is_given_up() -> None:
    ladder = Ladder()
    assert [ladder.climb() for _ in range(5)] == [1, 2, None, None, None]
    assert ladder.used_up


def test_success_begins_at_the_bottom() -> None:
    ladders = Ladders()
    ladders.silence.climb()
    ladders.no_match.climb()
    ladders.reset()
    assert (ladders.silence.climb(), ladders.no_match.climb()) == (1, 1)


def test_silence_and_misunderstanding_are_two_things() -> None:
    ladders = Ladders()
    assert [ladders.silence.climb(), ladders.no_match.climb(), ladders.silence.climb()] == [1, 1, 2]


def test_in_a_step_of_its_own_all_failures_count_together() -> None:
    tries = Tries()
    assert [tries.silence.climb(), tries.no_match.climb(), tries.silence.climb()] == [1, 2, None]
