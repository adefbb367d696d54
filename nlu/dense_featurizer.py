"""A component of Rasa's pipeline: what a sentence means, as the vector of the bundled embedding model.

Counted words and pieces of words know only what the training data has. The vector of a word that no training sentence
has still lies near those that mean the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import DENSE_FEATURIZABLE_ATTRIBUTES
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.static_embedding import BUNDLED_MODEL, StaticEmbedding


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class StaticEmbeddingFeaturizer(DenseFeaturizer, GraphComponent):  # type: ignore[misc]  # Rasa is not installed here
    """Adds a dense vector for the sentence.

    There are none for the tokens: the CRF would keep them, as text, in the model.
    """

    @staticmethod
    def required_packages() -> list[str]:
        return ["tokenizers"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`model` is the folder of a static model, `scale` the length of the vectors."""
        return {**DenseFeaturizer.get_default_config(), "model": str(BUNDLED_MODEL), "scale": 1.0}

    def __init__(self, config: dict[str, Any], name: str) -> None:
        """Load the model.

        Raises:
            FileNotFoundError: `model` is no static model.
        """
        super().__init__(name, config)
        self._embedding = StaticEmbedding(Path(config["model"]))
        self._scale = float(config["scale"])

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> StaticEmbeddingFeaturizer:
        return cls(config, execution_context.node_name)

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Everything that is wrong with a configuration shows when the model is loaded."""

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the vectors to messages."""
        for message in messages:
            for attribute in DENSE_FEATURIZABLE_ATTRIBUTES:
                self._add_features(message, attribute)
        return messages

    def _add_features(self, message: Message, attribute: str) -> None:
        text = message.get(attribute)
        if text is not None:
            vector = self._embedding.encode([text]) * self._scale
            if not any(char.isalnum() for char in text):
                vector[:] = 0  # the direction of mere signs is chance, and would be taken for a meaning
            self.add_features_to_message(None, vector, attribute, message)
