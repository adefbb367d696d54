"""The decoding graph: a bigram model over words, their pronunciations and the states of the sounds in one.

It is written as an OpenFst binary file (a `vector` of `standard` arcs). Input labels are Kaldi's transition numbers,
output labels words, weights negative logarithms of probabilities.
"""

from __future__ import annotations

import math
import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tests.telephony.tiny_vosk.acoustic import Phones
from tests.telephony.tiny_vosk.corpus import SILENCE, Pronunciation

WORD_PENALTY = 1.0
"""Added to every word, so that noise does not turn into many short ones."""
_KNOWN = 0.8
"""Weight of the word pairs that occur in the sentences; the rest goes to single words."""
_ANY_END = 4.0
"""Cost of ending after a word that ends no sentence."""
_PAUSE, _NO_PAUSE = 0.7, 0.3
_START, _END = "<s>", "</s>"

_MAGIC = 2_125_659_606
_VERSION = 2
_EXPANDED_AND_MUTABLE = 3


class Arc(NamedTuple):
    """A step of the graph; label 0 is none."""

    transition: int
    word: int
    cost: float
    target: int


class Graph:
    """States with their arcs, and what it costs to end in one."""

    def __init__(self) -> None:
        self.arcs: list[list[Arc]] = []
        self.final: dict[int, float] = {}

    def state(self) -> int:
        self.arcs.append([])
        return len(self.arcs) - 1

    def arc(self, source: int, target: int, *, cost: float = 0.0, transition: int = 0, word: int = 0) -> None:
        self.arcs[source].append(Arc(transition, word, cost, target))

    def write(self, path: Path, *, start: int) -> None:
        """Write it in OpenFst's binary form."""
        header = struct.pack("<i", _MAGIC) + _text("vector") + _text("standard")
        counts = struct.pack(
            "<iiQqqq", _VERSION, 0, _EXPANDED_AND_MUTABLE, start, len(self.arcs), sum(map(len, self.arcs))
        )
        states = b"".join(
            struct.pack("<fq", self.final.get(state, math.inf), len(arcs))
            + b"".join(struct.pack("<iifi", arc.transition, arc.word, arc.cost, arc.target) for arc in arcs)
            for state, arcs in enumerate(self.arcs)
        )
        path.write_bytes(header + counts + states)


def write(
    path: Path,
    *,
    phones: Phones,
    sentences: Iterable[str],
    words: Mapping[str, int],
    pronunciations: Callable[[str], Sequence[Pronunciation]],
) -> None:
    """Write `graph/HCLG.fst`; `words` has the number of every word."""
    graph = Graph()
    start, anywhere = graph.state(), graph.state()
    after = {word: graph.state() for word in (_START, *words)}
    before = {word: graph.state() for word in words}
    _add_silence(graph, phones, start, after[_START], pause=0.2, no_pause=0.5)
    _add_grammar(graph, sentences, after=after, before=before, anywhere=anywhere)
    for word, number in words.items():
        end = graph.state()
        for pronunciation in pronunciations(word):
            _add_word(graph, phones, pronunciation, number, source=before[word], target=end)
        _add_silence(graph, phones, end, after[word], pause=_PAUSE, no_pause=_NO_PAUSE)
    graph.write(path, start=start)


def _add_grammar(
    graph: Graph, sentences: Iterable[str], *, after: Mapping[str, int], before: Mapping[str, int], anywhere: int
) -> None:
    pairs: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        words = [_START, *sentence.split(), _END]
        for first, second in pairwise(words):
            pairs[first][second] += 1
    single = Counter(second for followers in pairs.values() for second in followers.elements())
    for word, state in after.items():
        followers = pairs[word]
        known = _KNOWN if followers else 0.0
        for follower, count in followers.items():
            cost = -math.log(known * count / followers.total())
            if follower == _END:
                graph.final[state] = cost
            else:
                graph.arc(state, before[follower], cost=cost + WORD_PENALTY)
        graph.arc(state, anywhere, cost=-math.log(1 - known))
        graph.final.setdefault(state, _ANY_END)
    for word, state in before.items():
        share = (single[word] + 0.5) / (single.total() + 0.5 * len(before))
        graph.arc(anywhere, state, cost=-math.log(share) + WORD_PENALTY)


def _add_silence(graph: Graph, phones: Phones, source: int, target: int, *, pause: float, no_pause: float) -> None:
    (silence,) = phones.states(SILENCE)
    waiting = graph.state()
    graph.arc(source, target, cost=no_pause)
    graph.arc(source, waiting, cost=pause, transition=silence.leave)
    graph.arc(waiting, waiting, transition=silence.stay)
    graph.arc(waiting, target)


def _add_word(
    graph: Graph, phones: Phones, pronunciation: Pronunciation, number: int, *, source: int, target: int
) -> None:
    state, word, cost = source, number, -math.log(pronunciation.share)
    last = len(pronunciation.sounds) - 1
    for index, sound in enumerate(pronunciation.sounds):
        position = "S" if last == 0 else "B" if index == 0 else "E" if index == last else "I"
        for half in phones.states(sound, position):
            following = graph.state()
            graph.arc(state, following, cost=cost, transition=half.leave, word=word)
            graph.arc(following, following, transition=half.stay)
            state, word, cost = following, 0, 0.0
    graph.arc(state, target)


def _text(value: str) -> bytes:
    return struct.pack("<i", len(value)) + value.encode()
