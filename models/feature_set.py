"""What the numbers of a row mean: by which features, and by which part on words some of them are made."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from models.features import FEATURE_NAMES
from models.text import TextModel


def feature_set_of(text: TextModel) -> str:
    """Rows of one feature set can be scored, and learnt from, together. 16 hex digits."""
    digest = blake2b("\n".join(FEATURE_NAMES).encode(), digest_size=8)
    digest.update(np.asarray(text.weights, dtype="<f4").tobytes())
    digest.update(repr(float(text.bias)).encode())
    weights = text.embedding.weights
    digest.update(np.concatenate([weights.came, weights.went, [weights.bias]]).astype("<f8").tobytes())
    return digest.hexdigest()
