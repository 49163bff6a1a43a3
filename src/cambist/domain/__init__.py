"""What things are: frozen dataclasses, enums, ids, errors. Standard library only."""
