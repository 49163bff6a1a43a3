"""The pure decision, and the state that it decides on."""
