"""What tests from end to end share."""

from tests.e2e.shell import run

__all__ = ["run"]
