"""Builds the tiny model into a folder.

python -m tests.telephony.tiny_vosk.build FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tests.telephony.tiny_vosk import acoustic, features, graph
from tests.telephony.tiny_vosk.acoustic import Phones
from tests.telephony.tiny_vosk.corpus import Corpus, sentences, vocabulary
from tests.telephony.tiny_vosk.network import train

UTTERANCES = 900
_DECODING = {
    "min-active": 200,
    "max-active": 5_000,
    "beam": 13.0,
    "lattice-beam": 4.0,
    "acoustic-scale": 0.15,
    "frame-subsampling-factor": 1,
    "frames-per-chunk": 20,
    "endpoint.silence-phones": acoustic.SILENCE_PHONE,
}


def build(folder: Path) -> None:
    """Speak, train and write a model that libvosk loads."""
    corpus = Corpus(size=UTTERANCES)
    network = train(corpus.utterances, corpus.sounds())
    phones = Phones(network.sounds)
    words = {word: number for number, word in enumerate(vocabulary(), start=1)}
    for part in ("am", "conf", "graph/phones"):
        (folder / part).mkdir(parents=True)
    acoustic.write(folder / "am" / "final.mdl", network, phones)
    _options(folder / "conf" / "mfcc.conf", features.CONFIGURATION)
    _options(folder / "conf" / "model.conf", _DECODING)
    (folder / "graph" / "phones" / "word_boundary.int").write_text(phones.boundaries(), encoding="ascii")
    lines = ["<eps> 0", *(f"{word} {number}" for word, number in words.items()), f"#0 {len(words) + 1}"]
    (folder / "graph" / "words.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    graph.write(
        folder / "graph" / "HCLG.fst",
        phones=phones,
        sentences=sentences(),
        words=words,
        pronunciations=corpus.pronunciations,
    )


def _options(path: Path, options: Mapping[str, object]) -> None:
    path.write_text("".join(f"--{name}={value}\n" for name, value in options.items()), encoding="ascii")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
