"""Import this before NumPy or scikit-learn: one thread of BLAS and OpenMP each.

A batch of 256 rows is too small to share out; on two cores the pools' hand-overs made a consumer nine
times slower. A value that is set already is left alone.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
