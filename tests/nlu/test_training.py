"""The training of the bundled model, on a corpus of a few words."""

from __future__ import annotations

import gzip
import json
import math
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers

from knowledge.usage import FOLDER as PRACTICE
from nlu.static_embedding import BUNDLED_MODEL, StaticEmbedding, is_static
from nlu.training import pairs, teacher
from nlu.training.export import save
from nlu.training.pairs import Paraphrase, Translation
from nlu.training.pieces import LONGEST_FINE_PIECE, UNKNOWN, finer, train_tokenizer
from nlu.training.student import Bags, GermanBags, Paraphrases, Recipe, Student, Translations, contrast, with_slip
from nlu.training.teacher import principal_components, teacher_vectors

GERMAN = (
    "Hund Katze Haus Wohnung Straße Müll Ausweis Pass Kind Schule Steuer Antrag Geld Auto Rad Baum Wald Amt Brief Tür"
)
ENGLISH = (
    "dog cat house flat street rubbish card passport child school tax form money car bike tree wood office letter door"
)
VERBS = (("anmelden", "register"), ("abholen", "collect"))
RECIPE = Recipe(dimensions=16, steps=60, batch=32)

# Sources


def packed(file: Path, *rows: Sequence[str]) -> None:
    file.write_bytes(gzip.compress("".join("\t".join(row) + "\n" for row in rows).encode()))


def written(file: Path, *lines: str) -> Path:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_open_translations_leave_out_what_is_long(tmp_path: Path) -> None:
    packed(
        tmp_path / "de_en_open.tsv.gz",
        ("tatoeba", "Der Hund bellt.", "The dog barks."),
        ("wiktionary", "Straße\u2028neu", "street"),
        ("tatoeba", "x" * pairs.MAX_GERMAN, "long"),
        ("tatoeba", "lang", "x" * pairs.MAX_ENGLISH),
    )
    assert pairs.open_translations(tmp_path) == [
        Translation("Der Hund bellt.", "The dog barks."),
        Translation("Straße\u2028neu", "street"),
    ]


def test_open_paraphrases_are_of_no_group(tmp_path: Path) -> None:
    packed(tmp_path / "de_paraphrases_open.tsv.gz", ("Er geht.", "Er läuft."), ("Ja.", "Genau."))
    assert pairs.open_paraphrases(tmp_path) == [Paraphrase("Er geht.", "Er läuft."), Paraphrase("Ja.", "Genau.")]
    assert {pair.group for pair in pairs.open_paraphrases(tmp_path)} == {-1}


@pytest.fixture
def ding(tmp_path: Path) -> Path:
    return written(
        tmp_path / "de-en",
        "# Hund :: dog",
        "no translation at all",
        "Hund {m}; Köter {m;ugs.} [pej.] | Hunde {pl} :: dog; cur [coll.] | dogs",
        "unequal | columns :: are left out",
        "Ausweis (für  Reisen) {m}; Pass {m} /Abk./ :: identity card; pass; papers; documents",
        "{m} | Amt {n} :: nothing | office",
        "eins; zwei; drei; vier; fünf :: many",
        "Pass; pass :: passport",
    )


def test_cells_of_the_dictionary_lose_their_notes(ding: Path) -> None:
    assert pairs.ding_translations(ding) == [
        Translation("Hund", "dog; cur"),
        Translation("Köter", "dog; cur"),
        Translation("Hunde", "dogs"),
        Translation("Ausweis", "identity card; pass; papers"),
        Translation("Pass", "identity card; pass; papers"),
        Translation("Amt", "office"),
        *(Translation(number, "many") for number in ("eins", "zwei", "drei", "vier")),
        Translation("Pass", "passport"),
        Translation("pass", "passport"),
    ]


def test_terms_beside_each_other_are_synonyms(ding: Path) -> None:
    assert pairs.ding_synonyms(ding) == [
        Paraphrase("Hund", "Köter"),
        Paraphrase("Ausweis", "Pass"),
        *(Paraphrase("eins", number) for number in ("zwei", "drei", "vier")),
    ]


def test_other_relations_of_the_thesaurus_are_no_synonyms(tmp_path: Path) -> None:
    file = written(
        tmp_path / "thesaurus.dat",
        "UTF-8",
        "müll|2",
        "-|Abfall (ugs.)|Müll|Ordnung (Antonym)|Stoff (Oberbegriff)|Altpapier (Unterbegriff)|Sauberkeit (Gegensatz)",
        "(Verb)|(ugs.)|quatschen",
        "viel|1",
        "-|massig|reichlich|in Massen|jede Menge|en masse",
    )
    found = pairs.thesaurus_synonyms(file)
    assert found[:2] == [Paraphrase("müll", "Abfall"), Paraphrase("müll", "quatschen")]
    assert len(found) == 2 + pairs.ENGLISH_PER_CELL
    assert {pair.left for pair in found[2:]} == {"viel"}
    assert {pair.right for pair in found[2:]} < {"massig", "reichlich", "in Massen", "jede Menge", "en masse"}


def test_which_synonyms_are_taken_does_not_depend_on_their_order(tmp_path: Path) -> None:
    words = ["massig", "reichlich", "in Massen", "jede Menge", "en masse"]

    def found(order: Sequence[str]) -> list[Paraphrase]:
        return pairs.thesaurus_synonyms(written(tmp_path / "t.dat", "UTF-8", "viel|1", f"-|{'|'.join(order)}"))

    assert found(words) == found(words[::-1])


def test_no_practice_service_teaches_both() -> None:
    parts = {part: pairs.practice_services(PRACTICE, part) for part in ("embedding", "ranking")}
    titles = {part: {service["title"] for service in services} for part, services in parts.items()}
    assert not titles["embedding"] & titles["ranking"]
    everything = sum(file.read_bytes().count(b"\n") for file in PRACTICE.glob("*.jsonl"))
    assert len(parts["embedding"]) + len(parts["ranking"]) == everything
    assert 0.2 < len(parts["ranking"]) / everything < 0.3


def test_phrases_go_with_the_title_and_a_passage_of_their_service(tmp_path: Path) -> None:
    text = " ".join(f"Wort{number}" for number in range(pairs.WORDS_PER_PASSAGE + 5))
    rows = [{"title": f"Titel {number}", "text": text, "phrases": [f"Frage {number}"]} for number in range(40)]
    written(tmp_path / "practice.jsonl", *(json.dumps(row) for row in rows))
    kept = pairs.practice_services(tmp_path, "embedding")
    found = pairs.practice_paraphrases(tmp_path)
    passages = {" ".join(text.split()[: pairs.WORDS_PER_PASSAGE]), " ".join(text.split()[pairs.WORDS_PER_PASSAGE :])}
    assert 0 < len(kept) < len(rows)
    for group, service in enumerate(kept):
        own = [pair for pair in found if pair.group == group]
        assert Paraphrase(service["phrases"][0], service["title"], group) in own
        assert {pair.right for pair in own if pair.left == service["title"]} == passages
        assert {pair.right for pair in own if pair.left == service["phrases"][0]} & passages
    assert {pair.group for pair in found} == set(range(len(kept)))


# Pieces


def cut(tokenizer: Tokenizer, text: str) -> list[str]:
    return list(tokenizer.encode(text, add_special_tokens=False).tokens)


def test_the_finer_cut_keeps_the_ids() -> None:
    vocabulary = [(UNKNOWN, 0.0), *((letter, -9.0) for letter in "▁abcdefghijklmnopqrstuvwxyz")]
    vocabulary += [("▁hund", -4.0), ("e", -5.0), ("steuer", -4.0), ("▁hundesteuer", -4.0)]
    usual = Tokenizer(models.Unigram(vocabulary, unk_id=0, byte_fallback=False))
    usual.pre_tokenizer = pre_tokenizers.Metaspace()
    fine = finer(usual)
    assert cut(usual, "hundesteuer") == ["▁hundesteuer"]
    assert cut(fine, "hundesteuer") == ["▁hund", "e", "steuer"]
    assert fine.get_vocab() == usual.get_vocab()


def corpus() -> list[Translation]:
    """40 pairs: each noun with each verb."""
    nouns = zip(GERMAN.split(), ENGLISH.split(), strict=True)
    return [Translation(f"{noun} {verb}", f"{to} {other}") for noun, other in nouns for verb, to in VERBS]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer((text for pair in corpus() for text in (pair.german, pair.english)), 200)


def test_a_trained_tokenizer_folds_what_it_reads(tokenizer: Tokenizer) -> None:
    assert tokenizer.get_vocab_size() <= 200
    assert tokenizer.token_to_id(UNKNOWN) == 0
    assert cut(tokenizer, "STRASSE") == cut(tokenizer, "Straße") == cut(tokenizer, "strasse")
    assert cut(tokenizer, "Müll") == cut(tokenizer, "Muell") != cut(tokenizer, "Mull")
    assert "".join(cut(tokenizer, "Tür abholen")) == "▁tuer▁abholen"


def test_the_finer_cut_of_the_bundled_model_has_only_short_pieces() -> None:
    usual = Tokenizer.from_file(str(BUNDLED_MODEL / "tokenizer.json"))
    texts = ["Personalausweis verlängern", "Wohnungsgeberbestätigung", "identity card"]
    assert max(len(piece) for text in texts for piece in cut(usual, text)) > LONGEST_FINE_PIECE
    assert max(len(piece) for text in texts for piece in cut(finer(usual), text)) <= LONGEST_FINE_PIECE


# Student


def test_a_slip_of_the_pen_is_one_letter() -> None:
    chance = random.Random(1)
    slips = [with_slip("Wohngeld", chance) for _ in range(200)]
    assert {len(slip) - len("Wohngeld") for slip in slips} == {-1, 0, 1}
    assert all(slip.startswith("W") for slip in slips)
    assert len(set(slips)) > 20
    assert [with_slip("Wohngeld", random.Random(1))] == slips[:1]
    assert with_slip("Pass", chance) == "Pass"


def test_bags_give_their_texts_back() -> None:
    ids, begins = Bags([[5, 6], [7], [8, 9, 1]]).take(np.array([2, 0]))
    assert ids.tolist() == [8, 9, 1, 5, 6]
    assert begins.tolist() == [0, 3]


@pytest.mark.parametrize(
    ("groups", "loss"), [(None, math.log(2)), ((-1, -1), math.log(2)), ((0, 1), math.log(2)), ((3, 3), 0.0)]
)
def test_only_other_groups_are_counterexamples(groups: tuple[int, int] | None, loss: float) -> None:
    same = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    found = contrast(same, same, None if groups is None else torch.tensor(groups))
    assert float(found) == pytest.approx(loss, abs=1e-6)


def toy_teacher(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors, texts that share a word lying nearer to each other."""
    chance = np.random.default_rng(5)
    words = {
        word: chance.normal(size=RECIPE.dimensions) for word in sorted({w for text in texts for w in text.split()})
    }
    vectors = np.stack([sum(words[word] for word in text.split()) for text in texts])
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def trained(tokenizer: Tokenizer, recipe: Recipe = RECIPE) -> NDArray[np.float32]:
    texts = corpus()
    english = sorted({pair.english for pair in texts})
    fine = finer(tokenizer)

    def german(own: Sequence[str]) -> GermanBags:
        return GermanBags(own, tokenizer, fine, recipe)

    translations = Translations(
        german([pair.german for pair in texts]),
        Bags([encoding.ids for encoding in tokenizer.encode_batch([pair.english for pair in texts])]),
        torch.tensor([english.index(pair.english) for pair in texts]),
    )
    paraphrases = Paraphrases(
        german([pair.german for pair in texts]),
        german([" ".join(reversed(pair.german.split())) for pair in texts]),
        torch.arange(len(texts)) // len(VERBS),
        weight=0.5,
        batch=8,
    )
    student = Student(tokenizer.get_vocab_size(), recipe)
    student.fit(toy_teacher(english), [translations], [paraphrases])
    return student.weights.copy()


@pytest.fixture(scope="module")
def weights(tokenizer: Tokenizer) -> NDArray[np.float32]:
    return trained(tokenizer)


@pytest.fixture(scope="module")
def model(
    tokenizer: Tokenizer, weights: NDArray[np.float32], tmp_path_factory: pytest.TempPathFactory
) -> StaticEmbedding:
    folder = tmp_path_factory.mktemp("model")
    save(weights, tokenizer, folder)
    return StaticEmbedding(folder)


def test_training_brings_translations_together(model: StaticEmbedding) -> None:
    texts = corpus()
    cosines = model.encode([pair.german for pair in texts]) @ model.encode([pair.english for pair in texts]).T
    own = np.diag(cosines)
    others = cosines[~np.eye(len(texts), dtype=bool)]
    assert own.mean() > others.mean() + 0.5
    assert (cosines.argmax(axis=1) == np.arange(len(texts))).mean() > 0.9


def test_german_texts_lie_where_the_teacher_has_the_english_ones(model: StaticEmbedding) -> None:
    texts = corpus()
    cosines = model.encode([pair.german for pair in texts]) @ toy_teacher([pair.english for pair in texts]).T
    assert np.diag(cosines).mean() > cosines.mean() + 0.4


def test_the_same_seed_gives_the_same_model(tokenizer: Tokenizer, weights: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(trained(tokenizer), weights, atol=1e-5)
    other = trained(tokenizer, Recipe(dimensions=RECIPE.dimensions, steps=2, batch=RECIPE.batch, seed=1))
    assert not np.allclose(other, weights, atol=1e-2)


# Teacher


class CountingTeacher:
    """Encodes a text as its length and its first letter; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def encode(self, texts: Sequence[str], **_: object) -> NDArray[np.float32]:
        self.asked.append(list(texts))
        return np.array([[len(text), ord(text[0])] for text in texts], dtype=np.float32)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> CountingTeacher:
    encoder = CountingTeacher()
    monkeypatch.setattr(teacher, "_load", lambda model: encoder)
    monkeypatch.setattr(teacher, "TEXTS_PER_FILE", 3)
    return encoder


TEXTS = ["dogs and cats", "a", "house", "bb", "tax form", "d", "letters"]


def test_the_teachers_vectors_come_in_the_order_of_the_texts(counting: CountingTeacher, tmp_path: Path) -> None:
    vectors = teacher_vectors(Path("model"), TEXTS, tmp_path / "cache")
    assert vectors.tolist() == [[len(text), ord(text[0])] for text in TEXTS]
    assert [len(part) for part in counting.asked] == [3, 3, 1]


def test_the_teacher_is_asked_once(counting: CountingTeacher, tmp_path: Path) -> None:
    first = teacher_vectors(Path("model"), TEXTS, tmp_path)
    counting.asked.clear()
    again = teacher_vectors(Path("model"), TEXTS, tmp_path)
    assert counting.asked == []
    np.testing.assert_array_equal(again, first)


def test_a_stopped_run_goes_on(counting: CountingTeacher, tmp_path: Path) -> None:
    first = teacher_vectors(Path("model"), TEXTS, tmp_path)
    lost = next(file for file in tmp_path.iterdir() if len(np.load(file)) == 1)
    lost.rename(lost.with_suffix(".part.npy"))  # as a run leaves it that was stopped while it wrote
    counting.asked.clear()
    again = teacher_vectors(Path("model"), TEXTS, tmp_path)
    assert counting.asked == [["dogs and cats"]]
    np.testing.assert_array_equal(again, first)


def test_another_teacher_has_a_cache_of_its_own(counting: CountingTeacher, tmp_path: Path) -> None:
    teacher_vectors(Path("model"), TEXTS, tmp_path)
    counting.asked.clear()
    teacher_vectors(Path("another"), TEXTS, tmp_path)
    assert sum(len(part) for part in counting.asked) == len(TEXTS)


def test_principal_components_keep_the_angles_of_the_strongest_axes() -> None:
    chance = np.random.default_rng(2)
    plane, flat = np.linalg.qr(chance.normal(size=(6, 2)))[0], chance.normal(size=(50, 2))
    wide = (flat @ plane.T + 0.5).astype(np.float16)
    narrow = principal_components(wide, 2)
    assert narrow.shape == (50, 2)
    np.testing.assert_allclose(np.linalg.norm(narrow, axis=1), 1, atol=1e-5)
    centred = flat - flat.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    np.testing.assert_allclose(narrow @ narrow.T, centred @ centred.T, atol=0.05)


# Export


def test_the_saved_model_is_what_was_trained(
    tokenizer: Tokenizer, weights: NDArray[np.float32], tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    written(tmp_path / "README.md", "About the model.")
    save(weights, tokenizer, tmp_path)
    assert is_static(tmp_path)
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "About the model.\n"
    ids = tokenizer.encode("Hund anmelden", add_special_tokens=False).ids
    mean = weights[ids].mean(axis=0)
    found = StaticEmbedding(tmp_path).encode(["Hund anmelden"])[0]
    np.testing.assert_allclose(found, mean / np.linalg.norm(mean), atol=5e-3)
    theirs = SentenceTransformer(str(tmp_path), device="cpu", local_files_only=True).encode(["Hund anmelden"])
    np.testing.assert_allclose(theirs[0], found, atol=5e-3)
