"""The front door for programs and pages: REST and WebSocket under ``/api/v1``."""
