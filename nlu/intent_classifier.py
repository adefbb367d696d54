"""A component of Rasa's pipeline: logistic regression that knows how often each intent occurs.

Rasa's own weighs all intents alike. But what citizens write is a question far more often than a complaint, and a
question that is taken for something else is not searched for.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.classifiers.logistic_regression_classifier import LogisticRegressionClassifier


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class FrequencyAwareClassifier(LogisticRegressionClassifier):  # type: ignore[misc]  # Rasa is not installed here
    """Rasa's `LogisticRegressionClassifier` without balanced classes; the settings are the same."""

    def __init__(self, config: dict[str, Any], *arguments: Any) -> None:
        super().__init__(config, *arguments)
        self.clf.set_params(class_weight=None)
