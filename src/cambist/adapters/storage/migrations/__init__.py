"""How the tables came to be, one revision per file in ``versions``, run by Alembic from `database`.

To change a table: change `tables`, add a revision that does the same, raise `tables.HEAD` to its name. The tests hold
the three together.
"""
