"""Two ways to cut text into pieces of one vocabulary: the usual one, and a finer one for training only."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

UNKNOWN = "[UNK]"
LONGEST_PIECE = 16
SCORE_DECIMALS = 3
LONGEST_FINE_PIECE = 6
"""Letters of the longest piece of the finer cut, so that rare compounds learn from their parts."""


def train_tokenizer(texts: Iterable[str], pieces: int) -> Tokenizer:
    """A Unigram tokenizer (Kudo 2018) that folds case, umlauts and accents like `nlu.text.fold`."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Lowercase(),
            *(
                normalizers.Replace(letter, plain)
                for letter, plain in zip("äöüß", ("ae", "oe", "ue", "ss"), strict=True)
            ),
            normalizers.NFD(),
            normalizers.StripAccents(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Metaspace()])
    trainer = trainers.UnigramTrainer(
        vocab_size=pieces,
        special_tokens=[UNKNOWN],
        unk_token=UNKNOWN,
        max_piece_length=LONGEST_PIECE,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    # The trainer adds up in the order of the moment: what is behind the third decimal is chance, and so is the order.
    state = json.loads(tokenizer.to_str())
    unknown, *others = ([piece, round(score, SCORE_DECIMALS)] for piece, score in state["model"]["vocab"])
    state["model"]["vocab"] = [unknown, *sorted(others, key=lambda entry: (-entry[1], entry[0]))]
    return Tokenizer.from_str(json.dumps(state))


def finer(tokenizer: Tokenizer) -> Tokenizer:
    """The same tokenizer without its long pieces; ids stay what they are."""
    state = json.loads(tokenizer.to_str())
    worst = min(score for _, score in state["model"]["vocab"])
    state["model"]["vocab"] = [
        [piece, score if len(piece) <= LONGEST_FINE_PIECE or piece == UNKNOWN else worst - 100.0 * len(piece)]
        for piece, score in state["model"]["vocab"]
    ]
    return Tokenizer.from_str(json.dumps(state))
