"""The pure decision."""
