"""Tests that must run one after the other are given to one worker."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.turns import GROUPS, WHOLE

ROOT = Path(__file__).parents[2]


def test_what_is_grouped_is_there():
    assert [name for name in (*GROUPS, *WHOLE) if not (ROOT / name).exists()] == []


def test_each_group_has_one_worker(tmp_path):
    whole = "tests/api/test_made_up.py"
    for name in (*GROUPS, whole, "tests/unit/test_made_up.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("\n".join(f"def test_{number}(): pass" for number in range(6)), encoding="utf-8")
    plugins = ("-p", "xdist.plugin", "-p", "tests.turns", "-p", "no:cacheprovider")
    shared = ("-n", "2", "--dist", "loadgroup", "-v", "-c", os.devnull, "--rootdir", ".", "--import-mode=importlib")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *shared, "tests"],
        cwd=tmp_path,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    workers: dict[str, set[str]] = {}
    ran = re.findall(r"^\[(gw\d)\] .*PASSED (tests/\S+?)::", done.stdout, re.MULTILINE)
    for worker, name in ran:
        workers.setdefault(GROUPS.get(name, name), set()).add(worker)
    assert len(ran) == 6 * (len(GROUPS) + 2)
    assert {name: len(workers[name]) for name in (*GROUPS.values(), whole)} == dict.fromkeys(
        (*GROUPS.values(), whole), 1
    )
