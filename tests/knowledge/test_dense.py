from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from knowledge import dense
from knowledge.dense import FIELDS, WINDOW, DenseIndex, windows
from knowledge.embedding import Vectors
from knowledge.lexical import Document
from knowledge.postings import Scores

RECORDS = 52
DIMENSIONS = 16
NAME, EXAMPLE = FIELDS.index("name"), FIELDS.index("example")


class RandomEmbedder:
    """A random direction per text."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors = [np.random.default_rng([ord(char) for char in text]).normal(size=DIMENSIONS) for text in texts]
        found = np.array(vectors).reshape(-1, DIMENSIONS)
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


def document(number: int) -> Document:
    return Document((f"Name {number}", f"Synonym {number}"), (f"Beispiel {number}",), f"Text {number}")


DOCUMENTS = [document(number) for number in range(RECORDS)]


def built(monkeypatch: pytest.MonkeyPatch, most_compared: int, documents: Sequence[Document] = DOCUMENTS) -> DenseIndex:
    monkeypatch.setattr(dense, "MOST_COMPARED", most_compared)
    return DenseIndex(documents, RandomEmbedder())


def ask(index: DenseIndex, text: str) -> Scores:
    return index.features(RandomEmbedder().encode([text]))


def test_the_best_passage_of_each_field_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    index = built(monkeypatch, 1000)
    best = ask(index, "Synonym 7")
    assert (index.size, best.shape) == (4 * RECORDS, (RECORDS, len(FIELDS)))
    model = RandomEmbedder()
    query = model.encode(["Synonym 7"])[0]
    expected = [
        max(0.0, *(model.encode(texts) @ query))
        for texts in (["Name 3", "Synonym 3"], ["Beispiel 3", "Beispiel 3"], ["Text 3", "Text 3"])
    ]
    np.testing.assert_allclose(best[3], expected, atol=1e-6)
    assert best[7, NAME] == pytest.approx(1, abs=1e-6)


def test_a_large_index_finds_the_same_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [text for number in range(0, RECORDS, 10) for text in (f"Synonym {number}", f"Text {number}")]
    flat = built(monkeypatch, 1000)
    all_compared = [ask(flat, text) for text in asked]
    clustered = built(monkeypatch, 200)
    for text, expected in zip(asked, all_compared, strict=True):
        found = ask(clustered, text)
        assert found.argmax() == expected.argmax()
        assert found.max() == pytest.approx(1, abs=2e-3)
        # Passages of other clusters count as the last of those that were found.
        assert (found <= np.maximum(expected, found.min()) + 2e-3).all()


def test_a_large_index_that_compares_with_all_clusters_is_like_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ask(built(monkeypatch, 1000), "Name 50")
    monkeypatch.setattr(dense, "PROBED_SHARE", 1.0)
    np.testing.assert_allclose(ask(built(monkeypatch, 200), "Name 50"), expected, atol=2e-3)


def test_what_is_not_among_the_nearest_counts_as_the_last_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense, "NEAREST_PASSAGES", 5)
    found = np.sort(ask(built(monkeypatch, 200), "Name 50").ravel())[::-1]
    assert found[0] == pytest.approx(1, abs=2e-3)
    assert found[0] > found[1] >= found[4] > 0
    np.testing.assert_array_equal(found[5:], found[4])


def test_no_likeness_is_below_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    for most_compared in (1000, 200):
        found = ask(built(monkeypatch, most_compared), "Name 50")
        assert found.min() >= 0
        assert np.isfinite(found).all()
    assert ask(built(monkeypatch, 1000), "Name 50").min() == 0


def test_a_field_without_passages_has_no_likeness(monkeypatch: pytest.MonkeyPatch) -> None:
    index = built(monkeypatch, 1000, [Document(("Hund",)), Document(()), Document((), ("Hund",), "Hund")])
    found = ask(index, "Hund")
    np.testing.assert_allclose(found, [[1, 0, 0], [0, 0, 0], [0, 1, 1]], atol=1e-6)


def test_records_without_any_passage_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    index = built(monkeypatch, 1000, [Document(()), Document(())])
    assert index.size == 0
    np.testing.assert_array_equal(ask(index, "Hund"), np.zeros((2, len(FIELDS))))


@pytest.mark.parametrize("in_one", [1, 7, 1000])
def test_passages_embedded_in_several_calls_stay_in_order(monkeypatch: pytest.MonkeyPatch, in_one: int) -> None:
    monkeypatch.setattr(dense, "TEXTS_AT_ONCE", in_one)
    index = built(monkeypatch, 1000, DOCUMENTS[:12])
    for number in range(12):
        assert int(ask(index, f"Beispiel {number}").argmax()) == number * len(FIELDS) + EXAMPLE


@pytest.mark.parametrize("length", [1, 19, 20, 21, 39, 40, 41, 59, 60, 61, 100, 137])
def test_windows_cover_all_words(length: int) -> None:
    words = [f"w{number}" for number in range(length)]
    found = [window.split() for window in windows(Document((), (), " ".join(words)))]
    assert max(len(window) for window in found) <= WINDOW
    assert list(dict.fromkeys(word for window in found for word in window)) == words
    half = WINDOW // 2
    for start in range(max(1, length - half + 1)):  # whatever is said within half a window stands together somewhere
        assert any(set(words[start : start + half]) <= set(window) for window in found)
    assert len(found) == 1 or len(found[-1]) > half


def test_windows_do_not_cross_modules() -> None:
    assert windows(Document((), (), "Kurz  gesagt.", ("Erstens.", "", "Zweitens."))) == [
        "Kurz gesagt.",
        "Erstens.",
        "Zweitens.",
    ]
    assert windows(Document(("Name",))) == []
