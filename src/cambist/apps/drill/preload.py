"""What every engine of a drill needs, imported once: engines are forked off it, and start in hundredths of a second."""

import time

from cambist.apps import bootstrap
from cambist.apps.drill import box, engine  # noqa: F401 (that they are imported is the point)
from cambist.apps.drill.engine import ACCOUNT
from cambist.apps.settings import load
from cambist.domain.timeframe import Timeframe
from cambist.engine.asking import warm_up_needed
from cambist.strategies._load import load as load_strategy


def everything() -> None:
    """Import and compile all that is otherwise made when it is first used."""
    settings = load({"CAMBIST_VENUE_URL": "http://127.0.0.1", "CAMBIST_KEY_DRILL": "-", "CAMBIST_SECRET_DRILL": "-"})
    bootstrap.drilled(settings, ACCOUNT, now_ms=lambda: round(time.time() * 1_000), speed=1.0)
    warm_up_needed(load_strategy("ema_cross"), Timeframe.M1)


everything()
