"""Run the migrations on the connection that `coop_aggregator.db.engine` hands over."""

from alembic import context

from coop_aggregator.db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
)
with context.begin_transaction():
    context.run_migrations()
