"""Nothing gets out of the jail, and whatever tries ends with a reason while the server goes on."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.floors import until
from tests.unit.sandbox.escapes import ENDLESS, ENDS, FILES, LIES, OTHERS, TOO_MUCH, strategy
from tests.unit.sandbox.jail import HOLDS, Purse, candles, rules

from cambist.adapters.sandbox.processes import ProcessSandbox
from cambist.domain.errors import CambistError, StrategyFailed
from cambist.domain.timeframe import Timeframe
from cambist.engine.jailed import Stored

pytestmark = HOLDS


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    tmp_path.chmod(0o777)
    file = tmp_path / "secret"
    file.write_text("none of your business", encoding="utf-8")
    file.chmod(0o666)
    return file


def tried(sandbox: ProcessSandbox, body: str, secret: Path, limit_s: float = 60.0) -> CambistError:
    """Return what came of a strategy that tries ``body``; fail if it came through or touched anything."""

    async def decide():
        code = strategy(body, str(secret), str(secret.parent))
        stored = Stored(sandbox, code, "stored:1@1", {})
        runner = await asyncio.to_thread(stored.begin, candles()[:50], rules(), Purse())
        try:
            return await runner.decide_soon(next(iter(candles()[50:])), limit_s)
        finally:
            runner.close()

    with pytest.raises(CambistError) as caught:
        asyncio.run(decide())
    assert str(caught.value)
    assert len(str(caught.value)) < 2_000
    assert secret.read_text(encoding="utf-8") == "none of your business"
    assert [file.name for file in secret.parent.iterdir()] == ["secret"]
    return caught.value


@pytest.mark.parametrize("name", FILES)
def test_no_file_is_reached(sandbox: ProcessSandbox, secret: Path, name: str):
    error = tried(sandbox, FILES[name], secret)
    assert error.key == "strategy.failed"


@pytest.mark.parametrize("name", OTHERS)
def test_nobody_else_is_reached(sandbox: ProcessSandbox, secret: Path, name: str):
    error = tried(sandbox, OTHERS[name], secret)
    assert error.key == "strategy.failed"


@pytest.mark.parametrize("name", TOO_MUCH)
def test_too_much_is_not_had(sandbox: ProcessSandbox, secret: Path, name: str):
    error = tried(sandbox, TOO_MUCH[name], secret)
    assert error.key in ("strategy.failed", "sandbox.died", "sandbox.raised")


@pytest.mark.parametrize("name", ENDS)
def test_one_that_ends_itself_ends_alone(sandbox: ProcessSandbox, secret: Path, name: str):
    error = tried(sandbox, ENDS[name], secret)
    assert error.key in ("strategy.failed", "sandbox.died", "sandbox.raised")


@pytest.mark.parametrize("name", ENDLESS)
def test_one_that_does_not_come_back_is_ended(sandbox: ProcessSandbox, secret: Path, name: str):
    error = tried(sandbox, ENDLESS[name], secret, limit_s=0.5)
    assert error.key == "sandbox.too_long"


@pytest.mark.parametrize("name", LIES)
def test_what_is_no_answer_is_not_believed(sandbox: ProcessSandbox, secret: Path, name: str):
    error = tried(sandbox, LIES[name], secret)
    assert isinstance(error, StrategyFailed)
    assert error.key in ("sandbox.malformed", "sandbox.raised")


def test_the_environment_of_the_server_is_not_there(monkeypatch: pytest.MonkeyPatch, secret: Path):
    monkeypatch.setenv("CAMBIST_SECRET_MAIN", "canary-of-the-environment")
    own = ProcessSandbox("cambist.usecases.inside")
    try:
        error = tried(own, "raise ValueError(sorted(os.environ.items()))", secret)
    finally:
        own.close()
    assert "canary" not in str(error)
    assert "CAMBIST" not in str(error)
    assert "LC_ALL" in str(error)


def test_nothing_of_the_server_is_in_its_memory(sandbox: ProcessSandbox, secret: Path):
    """The jailed process is a copy of one that was started anew, not of the server."""
    marker = "canary-" + "of-the-memory"
    kept = [marker * 10]
    body = (
        "found = [o for o in imp('gc').get_objects() if isinstance(o, list) and o and isinstance(o[0], str) and "
        "o[0].startswith('canary-' + 'of-the-memory')]\nraise ValueError(f'{len(found)} found')"
    )
    assert "0 found" in str(tried(sandbox, body, secret))
    assert kept


def test_a_bot_that_computes_all_the_time_is_ended_though_it_answers(sandbox: ProcessSandbox):
    """Its share of a core runs out between two answers: a loop that was hidden in a signal, say, or pure greed."""
    from cambist.ports.sandbox import Limits

    process = sandbox.start(Limits(cpu_s=0.2, cpu_share=0.01))
    about = {"code": "class A(Strategy):\n    def init(self):\n        while True: pass\n    def next(self): pass\n"}
    with pytest.raises(StrategyFailed) as caught:
        process.ask("needs", about | {"name": "a", "params": {}, "timeframe": "1h"}, timeout_s=60)
    assert caught.value.key == "sandbox.cpu"


def test_a_backtest_stops_at_its_limit_of_computing_time(sandbox: ProcessSandbox):
    from cambist.ports.sandbox import Limits

    process = sandbox.start(Limits(cpu_s=0.2))
    about = {"code": "while True: pass", "name": "a", "params": {}, "timeframe": "1h"}
    with pytest.raises(StrategyFailed) as caught:
        process.ask("needs", about, timeout_s=60)
    assert caught.value.key == "sandbox.cpu"


def test_a_zygote_that_was_killed_is_replaced_and_its_children_are_gone(secret: Path):
    own = ProcessSandbox("cambist.usecases.inside")
    try:
        stored = Stored(own, "class A(Strategy):\n    def next(self): pass\n", "stored:1@1", {})
        assert stored.warm_up(Timeframe.H1) > 0
        assert own._zygote is not None
        os.kill(own._zygote.pid, 9)
        own._zygote.wait()
        with pytest.raises(StrategyFailed) as caught:
            stored.warm_up(Timeframe.H1)
        assert caught.value.key == "sandbox.died"
        assert tried(own, "1 / 0", secret).key == "strategy.failed"
    finally:
        own.close()


def test_when_the_server_is_killed_nothing_of_it_stays():
    script = (
        "import time\n"
        "from cambist.adapters.sandbox.processes import ProcessSandbox\n"
        "from cambist.engine.jailed import Stored\n"
        "own = ProcessSandbox('cambist.usecases.inside')\n"
        "one = Stored(own, 'class A(Strategy):\\n    def next(self): pass', 'a', {})\n"
        "print(own._zygote.pid, flush=True)\n"
        "try: one._process.ask('needs', {'code': 'while True: pass', 'name': 'a', 'params': {}}, timeout_s=600)\n"
        "finally: time.sleep(600)\n"
    )
    server = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    zygote = int(server.stdout.readline())
    children = Path(f"/proc/{zygote}/task/{zygote}/children")
    (child,) = until(lambda: children.read_text().split(), "a jailed process")
    server.kill()
    server.wait()
    server.stdout.close()
    until(lambda: not any(Path(f"/proc/{pid}/cmdline").is_file() for pid in (zygote, child)), "both are gone")


def test_the_self_test_sees_a_jail_with_holes(tmp_path):
    """Without walls the same attempts come through: they are attempts, and not only words."""
    from cambist.adapters.sandbox.channel import TRY_TO_GET_OUT
    from cambist.ports.sandbox import Limits

    own = ProcessSandbox("cambist.usecases.inside", trusted=True)
    try:
        assert own.holds().trusted
        process = own._fresh(Limits())
        (tmp_path / "secret").write_text("a file that may go")  # without walls it does
        asked = {"secret": str(tmp_path / "secret"), "folder": "/nonexistent", "memory": 1 << 30, "parent": os.getpid()}
        answer = process.ask(TRY_TO_GET_OUT, asked, timeout_s=300).values
        with pytest.raises(StrategyFailed):
            process.ask(TRY_TO_GET_OUT, {"loop": True}, timeout_s=0.1)
        until(lambda: not Path(f"/proc/{answer['pid']}").exists(), "it is ended all the same")
    finally:
        own.close()
    through = answer["through"]
    assert {
        "reading a file",
        "reading /etc/passwd",
        "reading its own memory",
        "memory",
        "a process",
        "a thread",
    } <= set(through)
    assert {"the call socket", "the call kill", "the call memfd_create", "the call prctl"} <= set(through)
