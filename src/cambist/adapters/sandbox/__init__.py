"""Jailed processes for other people's code: rlimits, Landlock and seccomp, put on by the process itself."""
