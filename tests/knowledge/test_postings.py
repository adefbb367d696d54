from __future__ import annotations

import numpy as np

from knowledge.postings import Groups, Postings, TermRows, document_frequency

VOCABULARY: dict[str, int] = {}
ROWS = TermRows(VOCABULARY)
for row in ({"hund": 1.0, "steuer": 0.5}, {}, {"steuer": 2.0}, {"pass": 1.0}):
    ROWS.add(row)
POSTINGS = Postings(ROWS.matrix())


def numbers(*terms: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([VOCABULARY[term] for term in terms], dtype=np.int64)


def test_sums_weigh_the_values_of_each_row() -> None:
    np.testing.assert_allclose(POSTINGS.sums(numbers("hund", "steuer"), np.array([2.0, 1.0])), [2.5, 0, 2.0, 0])


def test_no_term_scores_nothing() -> None:
    assert not POSTINGS.sums(numbers(), np.zeros(0)).any()


def test_an_empty_index_has_no_rows() -> None:
    empty = Postings(TermRows().matrix())
    assert empty.sums(numbers(), np.zeros(0)).shape == (0,)


def test_groups_take_their_best_row() -> None:
    groups = Groups([2, 0, 1])
    np.testing.assert_allclose(groups.best(np.array([0.1, 0.7, 0.3])), [0.7, 0, 0.3])
    np.testing.assert_allclose(Groups([0, 0]).best(np.zeros(0)), [0, 0])


def test_document_frequency_counts_rows() -> None:
    assert document_frequency(ROWS.matrix())[numbers("steuer", "hund")].tolist() == [2, 1]
