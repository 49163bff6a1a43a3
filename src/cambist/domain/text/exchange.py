"""Of the exchanges in a box."""

TEXTS: dict[str, tuple[str, str]] = {
    "exchange.no_symbol": ("{symbol} is not traded here", "{symbol} n'est pas coté ici"),
    "exchange.no_account": ("There is no account {account!r}", "Le compte {account!r} n'existe pas"),
    "exchange.no_order": (
        "There is no order {order!r} on {symbol}",
        "Il n'y a pas d'ordre {order!r} sur {symbol}",
    ),
    "exchange.no_price": ("{symbol} has not traded yet", "{symbol} n'a pas encore été échangé"),
    "exchange.account_taken": ("an account of that name exists", "un compte de ce nom existe déjà"),
    "exchange.balance": (
        "Account has insufficient balance: {needed} {asset} needed, {free} free",
        "Solde insuffisant : il faut {needed} {asset}, {free} sont libres",
    ),
    "exchange.duplicate": ("Duplicate order sent: {order!r}", "Ordre envoyé deux fois : {order!r}"),
    "exchange.lot_size": (
        "Quantity {quantity} is not a positive multiple of the lot step {step}",
        "La quantité {quantity} n'est pas un multiple positif du pas {step}",
    ),
    "exchange.tick_size": (
        "Price {price} is not a positive multiple of the tick size {step}",
        "Le prix {price} n'est pas un multiple positif du pas de cotation {step}",
    ),
    "exchange.min_quantity": (
        "Quantity {quantity} is below the minimum of {least}",
        "La quantité {quantity} est sous le minimum de {least}",
    ),
    "exchange.min_notional": (
        "The order is worth {notional}, less than the minimum of {least}",
        "L'ordre vaut {notional}, moins que le minimum de {least}",
    ),
    "exchange.would_trigger": (
        "Stop price would trigger immediately: {trigger}, the market is at {price}",
        "Le seuil {trigger} se déclencherait aussitôt : le marché est à {price}",
    ),
    "exchange.reduce_only": (
        "The reduce-only order has no position on {symbol} to reduce",
        "L'ordre ne peut que réduire, et il n'y a pas de position à réduire sur {symbol}",
    ),
    "exchange.shape": (
        "An order of type {type} needs {needs}",
        "Un ordre de type {type} doit porter {needs}",
    ),
    "exchange.oco": (
        "The two orders of an OCO must have one symbol, side and quantity, and be a stop and a target",
        "Les deux ordres d'un OCO doivent avoir même symbole, même sens et même quantité : un stop et un objectif",
    ),
    "exchange.no_stop": (
        "Order {order!r} has no trigger that could be moved any more",
        "L'ordre {order!r} n'a plus de seuil à déplacer",
    ),
}
