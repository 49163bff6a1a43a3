"""One script per peer. Each runs in an environment of its own, so nothing here may import Cambist."""
