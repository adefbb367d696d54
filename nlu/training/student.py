"""Training of the student: one vector per piece, so that the mean of a text's pieces lies where the teacher puts it."""

from __future__ import annotations

import math
import random
import string
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch.nn import functional as F

Vectors = NDArray[np.float32]

TEMPERATURE = 0.05
LEARNING_RATE = 0.01
LAST_LEARNING_RATE = 0.02
"""Share of the learning rate at the end of its linear decline."""
START_DEVIATION = 0.1
STEPS_PER_REPORT = 500


@dataclass(frozen=True, slots=True)
class Recipe:
    """What of the training was tried; the defaults are what was best."""

    dimensions: int = 256
    steps: int = 7000
    batch: int = 768
    typo_share: float = 0.1
    """Share of the German texts that are read with a slip of the pen."""
    fine_share: float = 0.2
    """Share of the German texts that are cut into finer pieces."""
    seed: int = 0


class Bags:
    """The pieces of many texts, in one array."""

    def __init__(self, ids: Sequence[Sequence[int]]) -> None:
        self._lengths = np.array([len(one) for one in ids], dtype=np.int64)
        self._starts = np.cumsum(self._lengths) - self._lengths
        self._ids = np.fromiter((id for one in ids for id in one), dtype=np.int64, count=int(self._lengths.sum()))

    def __len__(self) -> int:
        return len(self._lengths)

    def take(self, rows: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Piece ids of some texts, one behind the other, and where each text begins."""
        lengths = self._lengths[rows]
        begins = np.cumsum(lengths) - lengths
        at = np.arange(int(lengths.sum())) + np.repeat(self._starts[rows] - begins, lengths)
        return torch.from_numpy(self._ids[at]), torch.from_numpy(begins)


class GermanBags:
    """German texts in up to three readings: as they are, with a slip of the pen, in finer pieces."""

    def __init__(self, texts: Sequence[str], usual: Tokenizer, fine: Tokenizer, recipe: Recipe) -> None:
        slips = random.Random(recipe.seed)
        self._readings = [
            Bags(_ids(usual, texts)),
            Bags(_ids(usual, [with_slip(text, slips) for text in texts])),
            Bags(_ids(fine, texts)),
        ]
        self._shares = [1 - recipe.typo_share - recipe.fine_share, recipe.typo_share, recipe.fine_share]

    def __len__(self) -> int:
        return len(self._readings[0])

    def take(self, rows: NDArray[np.int64], chance: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Like `Bags.take`, all texts of one call in the same reading."""
        return self._readings[int(chance.choice(3, p=self._shares))].take(rows)


@dataclass(frozen=True, slots=True)
class Translations:
    """German and English texts and where the teacher puts the English one."""

    german: GermanBags
    english: Bags
    targets: torch.Tensor
    """Row of `Student.fit`'s teacher vectors per pair."""


@dataclass(frozen=True, slots=True)
class Paraphrases:
    """German texts of like meaning, with their weight in the loss and their share of a batch."""

    left: GermanBags
    right: GermanBags
    groups: torch.Tensor
    """Pairs of the same group (0 and more) are no counterexamples of each other."""
    weight: float
    batch: int


class Student:
    """A bag of vectors that is being trained."""

    def __init__(self, pieces: int, recipe: Recipe) -> None:
        torch.manual_seed(recipe.seed)
        self._recipe = recipe
        self._bag = torch.nn.EmbeddingBag(pieces, recipe.dimensions, mode="mean")
        torch.nn.init.normal_(self._bag.weight, std=START_DEVIATION)

    @property
    def weights(self) -> Vectors:
        """Shape (number of pieces, dimensions)."""
        return np.asarray(self._bag.weight.detach().numpy(), dtype=np.float32)

    def fit(self, teacher: Vectors, translations: Sequence[Translations], paraphrases: Sequence[Paraphrases]) -> None:
        """Train; every batch draws by chance from all sources.

        Args:
            teacher: the teacher's vectors, shape (number of English texts, dimensions).
            translations: of each the same number of pairs per batch.
            paraphrases: of each as many as it says.
        """
        recipe = self._recipe
        chance = np.random.default_rng(recipe.seed)
        targets = torch.from_numpy(teacher)
        optimizer = torch.optim.Adam(self._bag.parameters(), lr=LEARNING_RATE, fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: max(LAST_LEARNING_RATE, 1 - step / recipe.steps)
        )
        begun, total = time.monotonic(), 0.0
        for step in range(1, recipe.steps + 1):
            loss = self._loss(translations, paraphrases, targets, chance)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
            if step % STEPS_PER_REPORT == 0:
                seconds = time.monotonic() - begun
                print(
                    f"step {step} of {recipe.steps}: loss {total / STEPS_PER_REPORT:.3f}, {seconds:.0f} s", flush=True
                )
                total = 0.0

    def _loss(
        self,
        translations: Sequence[Translations],
        paraphrases: Sequence[Paraphrases],
        teacher: torch.Tensor,
        chance: np.random.Generator,
    ) -> torch.Tensor:
        draws = [chance.integers(0, len(pairs.german), self._recipe.batch) for pairs in translations]
        other_draws = [chance.integers(0, len(pairs.left), pairs.batch) for pairs in paraphrases]
        bags = []
        for pairs, rows in zip(translations, draws, strict=True):
            bags += [pairs.german.take(rows, chance), pairs.english.take(rows)]
        for others, rows in zip(paraphrases, other_draws, strict=True):
            bags += [others.left.take(rows, chance), others.right.take(rows, chance)]
        vectors = iter(self._vectors(bags))
        loss = torch.zeros(())
        for pairs, rows in zip(translations, draws, strict=True):
            german, english, target = next(vectors), next(vectors), teacher[pairs.targets[rows]]
            distance = (1 - (german * target).sum(1)).mean()
            loss = loss + contrast(german, target) + 0.5 * contrast(english, target) + 0.7 * contrast(german, english)
            loss = loss + 2 * distance
        for others, rows in zip(paraphrases, other_draws, strict=True):
            loss = loss + others.weight * contrast(next(vectors), next(vectors), others.groups[rows])
        return loss

    def _vectors(self, bags: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> tuple[torch.Tensor, ...]:
        """Unit vectors of several batches of texts, looked up at once: every look-up costs a gradient of its own."""
        sizes = [len(ids) for ids, _ in bags]
        offsets = [begins + before for (_, begins), before in zip(bags, np.cumsum([0, *sizes[:-1]]), strict=True)]
        found = self._bag(torch.cat([ids for ids, _ in bags]), torch.cat(offsets))
        return torch.split(F.normalize(found, dim=1), [len(begins) for _, begins in bags])


def contrast(left: torch.Tensor, right: torch.Tensor, groups: torch.Tensor | None = None) -> torch.Tensor:
    """InfoNCE both ways (van den Oord 2018): each row's counterpart against those of all other groups in the batch."""
    similarity = left @ right.T / TEMPERATURE
    if groups is not None:
        same = (groups[:, None] == groups[None, :]) & (groups[:, None] >= 0)
        same.fill_diagonal_(False)
        similarity = similarity.masked_fill(same, -math.inf)
    own = torch.arange(len(left))
    return (F.cross_entropy(similarity, own) + F.cross_entropy(similarity.T, own)) / 2


def with_slip(text: str, chance: random.Random) -> str:
    """The text with one letter doubled, dropped, swapped with the next or mistaken."""
    if len(text) < 5:
        return text
    at = chance.randrange(1, len(text) - 1)
    kind = chance.randrange(4)
    if kind == 0:
        return text[:at] + text[at] + text[at:]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    if kind == 2:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + chance.choice(string.ascii_lowercase) + text[at + 1 :]


def _ids(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    # A text without any piece would have no mean: it stands for the unknown.
    return [encoding.ids or [0] for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False)]
