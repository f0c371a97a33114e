"""What the model alone gave, beside what was told of an edit. NULL, of rows from before: the same."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("training_rows", sa.Column("model_risk", sa.Double(), nullable=True))
