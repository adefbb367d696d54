"""A component of Rasa's pipeline: entities by cue words, for sentences in which a trained extractor found none.

The cues are the regular expressions of the training data; each is named by the role that it points to. A trained
extractor knows better what a word means in its sentence; but no training data has all the ways to ask for a price.
"""

from __future__ import annotations

import re
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.utils.io import json_to_string, read_json_file, write_text_file

CUES_FILE = "cues.json"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class CueExtractor(GraphComponent):  # type: ignore[misc]  # Rasa is not installed where types are checked
    """Adds an entity for each cue, unless there is one of its kind already with a role that has cues."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`roles` maps each kind of entity to the roles that its cues may have."""
        return {"roles": {}}

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource) -> None:
        self._kinds = {role: kind for kind, roles in config["roles"].items() for role in roles}
        self._storage = storage
        self._resource = resource
        self._cues: dict[str, re.Pattern[str]] = {}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> CueExtractor:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **_: Any,
    ) -> CueExtractor:
        extractor = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            extractor._compile(read_json_file(folder / CUES_FILE))
        return extractor

    def train(self, training_data: TrainingData) -> Resource:
        """Keep the training data's expressions whose name is a known role."""
        cues: dict[str, list[str]] = {}
        for feature in training_data.regex_features:
            if feature["name"] in self._kinds:
                cues.setdefault(feature["name"], []).append(feature["pattern"])
        self._compile(cues)
        with self._storage.write_to(self._resource) as folder:
            write_text_file(json_to_string(cues), folder / CUES_FILE)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Training data keep their own annotations."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Add entities to messages, in the order of the text."""
        for message in messages:
            entities = list(message.get(ENTITIES, []))
            present = {entity["entity"] for entity in entities if entity.get("role") in self._kinds}
            found = [entity for entity in self._entities(message.get(TEXT) or "") if entity["entity"] not in present]
            if found:
                message.set(ENTITIES, sorted(entities + found, key=lambda entity: entity["start"]), add_to_output=True)
        return messages

    def _compile(self, cues: dict[str, list[str]]) -> None:
        self._cues = {role: re.compile("|".join(patterns), re.IGNORECASE) for role, patterns in cues.items()}

    def _entities(self, text: str) -> list[dict[str, Any]]:
        return [
            {
                "entity": self._kinds[role],
                "role": role,
                "start": match.start(),
                "end": match.end(),
                "value": match.group(),
                "extractor": type(self).__name__,
            }
            for role, cue in self._cues.items()
            if (match := cue.search(text))
        ]
