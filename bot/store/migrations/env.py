"""Alembic's entry: runs the migrations on the connection that `bot.store.engine` hands over."""

from alembic import context

from bot.store import case_models, leases, staff_models
from bot.store.models import Base

ALL_TABLES = (case_models, leases, staff_models)  # importing them is what tells Base of their tables
context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
