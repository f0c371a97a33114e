"""The classifier: features, artifact, training and evaluation."""

import models.threads  # noqa: F401  # pins BLAS and OpenMP before any module here loads them
