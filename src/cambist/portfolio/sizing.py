"""How large a position may be. Here floats end: a size becomes a quantity in the instrument's lots, as a Decimal."""

from decimal import Decimal

from cambist.domain.refusal import Reason
from cambist.domain.wish import Fraction, Notional, Quantity, Risk, Size
from cambist.market.costs import steps_down
from cambist.market.matching import Steps


def quantity(size: Size, *, equity: float, price: float, stop_loss: float | None, steps: Steps) -> Decimal | Reason:
    """Return the quantity (base currency, whole lots, rounded down) that ``size`` means at ``price``, or why not.

    ``equity`` is in quote currency; ``stop_loss`` the stop's distance as a fraction of the entry price, which
    `Risk` needs: the position is such that the stop costs the given fraction of equity.
    """
    match size:
        case Fraction(of_equity):
            wanted = of_equity * equity / price
        case Notional(amount):
            wanted = amount / price
        case Risk(of_equity):
            if not stop_loss or stop_loss <= 0:
                return Reason.NO_STOP_FOR_RISK
            wanted = of_equity * equity / (price * stop_loss)
        case Quantity(amount):
            wanted = float(amount)
    if not 0 < wanted < float("inf"):
        return Reason.NO_SIZE
    return steps.lot * steps_down(wanted, steps.lot_mul, steps.lot_scale)
