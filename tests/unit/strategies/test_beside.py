"""A strategy is the files of one's own that it is made of: another base class beside it is another strategy."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from cambist.backtest.result import digest_of_code
from cambist.strategies._load import files_beside, from_source, load, samples

MINE = {
    "levels.py": "import math\nLOW = 30\n",
    "bases.py": "import cambist as cb\nimport levels\n\nclass Base(cb.Strategy):\n    low = levels.LOW\n",
    "unused.py": "HIGH = 1\n",
    "parts/__init__.py": "",
    "parts/tools.py": "from . import more\n",
    "parts/more.py": "STEP = 1\n",
    "parts/late.py": "LATE = 1\n",
    "mine.py": "from bases import Base\nfrom parts.tools import more\n\nclass Mine(Base):\n    def next(self):\n"
    "        from parts import late\n        import numpy\n",
}
OWN = ["bases", "levels", "parts", "parts.late", "parts.more", "parts.tools"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in MINE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [*OWN, "mine"]:
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def forget() -> None:
    for name in [*OWN, "mine"]:
        sys.modules.pop(name, None)


def digest(folder: Path) -> str:
    forget()
    importlib.invalidate_caches()
    found = digest_of_code([load(str(folder / "mine.py"))])
    assert found == digest_of_code([importlib.import_module("mine").Mine])
    forget()
    return found


@pytest.mark.parametrize("name", ["bases.py", "levels.py", "parts/__init__.py", "parts/more.py", "parts/late.py"])
def test_another_file_that_it_uses_is_another_strategy(folder: Path, name: str):
    before = digest(folder)
    assert digest(folder) == before
    (folder / name).write_text(MINE[name] + "# another\n")
    assert digest(folder) != before


def test_what_it_does_not_use_is_no_part_of_it(folder: Path):
    before = digest(folder)
    (folder / "unused.py").write_text("HIGH = 2\n")
    assert digest(folder) == before
    assert list(files_beside(load(str(folder / "mine.py")))) == OWN
    forget()


def test_a_strategy_in_one_file_is_that_file_and_samples_are_their_own():
    assert files_beside(from_source("import numpy, talib, cambist\nclass A(Strategy): ...", "a.py")) == {}
    assert all(files_beside(one) == {} for one in samples().values())


def test_one_that_was_typed_in_is_what_it_names_too(folder: Path):
    typed = "from levels import LOW\nimport parts.tools\nclass Typed(cb.Strategy):\n"
    typed += "    def next(self): return f() + parts.tools.more.STEP\ndef f(): import bases\n"
    code = f"import cambist as cb\nfrom cambist.backtest.result import digest_of_code\n{typed}"
    code += "print(digest_of_code([Typed]))"

    def said() -> str:
        run = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
        return run.stdout

    before = said()
    assert said() == before
    for name in ("parts/more.py", "bases.py"):
        (folder / name).write_text(MINE[name] + "# another\n")
        assert said() != before
        before = said()
