"""The trained model as a folder that sentence-transformers and `nlu.static_embedding` read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer


def save(weights: NDArray[np.float32], tokenizer: Tokenizer, folder: Path) -> None:
    """Write the model's files; README and licence are left as they are.

    Args:
        weights: shape (number of pieces, dimensions); stored with 16 bits.
        tokenizer: gives the rows of the weights.
        folder: made if need be.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    static = StaticEmbedding(tokenizer, embedding_weights=torch.from_numpy(weights).half())
    SentenceTransformer(modules=[static, Normalize()], device="cpu").save(str(folder), create_model_card=False)
