"""What Alembic runs to apply revisions: over the connection that `database` has opened, locked and will commit."""

from alembic import context

from cambist.adapters.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter most of a table in place
)
context.run_migrations()
