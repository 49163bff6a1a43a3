"""The stream: what happens, as it happens, to everybody who listens by WebSocket."""
