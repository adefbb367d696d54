"""The dense featurizer within Rasa's pipeline: it runs in Rasa's own environment, on a model made up here."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from nlu.static_embedding import StaticEmbedding
from stadtbot.rasa_process import PYTHON, QUIET
from stadtbot.settings import ROOT

PIECES = [
    ("<unk>", 0.0),
    ("▁", -4.0),
    ("▁hund", -2.0),
    ("e", -3.0),
    ("steuer", -2.0),
    ("▁was", -2.0),
    ("▁kostet", -2.0),
]
TEXTS = ["Was kostet Hundesteuer", "hunde", "zzz"]
SIGNS = "🙂 ..."
DIMENSIONS = 8
SCALE = 3.0
PROGRAM = """
import json, sys
from nlu.dense_featurizer import StaticEmbeddingFeaturizer
from rasa.engine.graph import ExecutionContext
from rasa.nlu.tokenizers.whitespace_tokenizer import WhitespaceTokenizer
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

model, scale, *texts = sys.argv[1:]
config = {**StaticEmbeddingFeaturizer.get_default_config(), "model": model, "scale": float(scale)}
try:
    featurizer = StaticEmbeddingFeaturizer.create(config, None, None, ExecutionContext(None, node_name="featurizer"))
except FileNotFoundError as error:
    sys.exit(f"no model: {error}")
tokenizer = WhitespaceTokenizer(WhitespaceTokenizer.get_default_config())

def messages():
    return tokenizer.process([Message.build(text) for text in texts] + [Message({"intent": "greet"})])

def features(message):
    found = message.get_dense_features("text")
    return [None if part is None else part.features.tolist() for part in found]

print(json.dumps({
    "parsed": [features(message) for message in featurizer.process(messages())],
    "trained": [features(m) for m in featurizer.process_training_data(TrainingData(messages())).training_examples],
    "heavy": sorted({"torch", "sentence_transformers", "transformers", "huggingface_hub"} & set(sys.modules)),
}))
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What Rasa's pipeline has of the texts, of mere signs, and of a message without a text."""

    parsed: list[NDArray[np.float32] | None]
    trained: list[NDArray[np.float32] | None]
    heavy: list[str]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as sentence-transformers saves it, with random weights."""
    folder = tmp_path_factory.mktemp("model")
    tokenizer = Tokenizer(models.Unigram(PIECES, unk_id=0, byte_fallback=False))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.save(str(folder / "tokenizer.json"))
    weights = np.random.default_rng(7).normal(size=(len(PIECES), DIMENSIONS)).astype(np.float16)
    save_file({"embedding.weight": weights}, folder / "model.safetensors")
    modules = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StaticEmbedding"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    return folder


@pytest.fixture(scope="module")
def seen(model: Path) -> Seen:
    done = _rasa(model)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    parsed, trained = ([_sentence(parts) for parts in found[kind]] for kind in ("parsed", "trained"))
    return Seen(parsed=parsed, trained=trained, heavy=found["heavy"])


def _rasa(model: Path) -> subprocess.CompletedProcess[str]:
    command = [str(PYTHON), "-W", "ignore", "-c", PROGRAM, str(model), str(SCALE), *TEXTS, SIGNS]
    environment = {**os.environ, **QUIET, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=120)


def _sentence(parts: list[list[list[float]] | None]) -> NDArray[np.float32] | None:
    """The sentence's features; the CRF keeps those of tokens in its model, so there must be none."""
    sequence, sentence = parts
    assert sequence is None
    return None if sentence is None else np.asarray(sentence, dtype=np.float32)


@pytest.mark.slow
def test_a_sentence_has_its_vector(model: Path, seen: Seen) -> None:
    expected = StaticEmbedding(model).encode(TEXTS) * SCALE
    for text, vector, features in zip(TEXTS, expected, seen.parsed[:-2], strict=True):
        assert features is not None, text
        assert features.shape == (1, DIMENSIONS)
        np.testing.assert_allclose(features[0], vector, rtol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(features), SCALE, rtol=1e-5)


@pytest.mark.slow
def test_signs_have_no_meaning(seen: Seen) -> None:
    features = seen.parsed[-2]
    assert features is not None
    assert features.shape == (1, DIMENSIONS)
    assert not features.any()


@pytest.mark.slow
def test_a_message_without_text_has_none(seen: Seen) -> None:
    assert seen.parsed[-1] is None


@pytest.mark.slow
def test_training_sees_what_parsing_sees(seen: Seen) -> None:
    for trained, parsed in zip(seen.trained, seen.parsed, strict=True):
        np.testing.assert_equal(trained, parsed)


@pytest.mark.slow
def test_neither_torch_nor_the_hub_is_loaded(seen: Seen) -> None:
    assert seen.heavy == []


@pytest.mark.slow
def test_a_missing_model_is_named(tmp_path: Path) -> None:
    done = _rasa(tmp_path / "absent")
    assert done.returncode == 1
    assert "no model: " in done.stderr
    assert "tokenizer.json" in done.stderr
