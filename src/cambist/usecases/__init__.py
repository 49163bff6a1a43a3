"""What a person can ask for: one verb group per file."""
