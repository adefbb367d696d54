from __future__ import annotations

import pytest

from knowledge.compounds import CompoundSplitter

SPLITTER = CompoundSplitter(["hunde", "steuer", "amt", "befreiung", "geburt", "urkunde", "ehe", "wohnung"])


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("hundesteuerbefreiung", ("hunde", "steuer", "befreiung")),
        ("geburtsurkunde", ("geburt", "urkunde")),
        ("eheurkunde", ("ehe", "urkunde")),
        ("steueramt", ("steuer", "amt")),
        ("zweitwohnungssteuer", ("zweit", "wohnung", "steuer")),
        ("personalausweisverlust", ("personal", "ausweis", "verlust")),
    ],
)
def test_compounds_fall_into_their_words(word: str, parts: tuple[str, ...]) -> None:
    assert SPLITTER.split(word) == parts


@pytest.mark.parametrize("word", ["steuer", "hund", "xyzzyxyzzy", "wohnung", "", "2026", "abc123def456"])
def test_what_is_no_compound_stays_whole(word: str) -> None:
    assert SPLITTER.split(word) == (word,)


def test_a_very_long_word_takes_no_time() -> None:
    assert SPLITTER.split("hunde" * 200)[0] == "hunde"
