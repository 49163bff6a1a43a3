"""Of what has become of orders, of statistics, and of what accounts hold."""

TEXTS: dict[str, tuple[str, str]] = {
    "past.unreadable": (
        (
            "Entry {seq} in the journal of {account} is not of this version of Cambist. "
            "Run the version that wrote it, or a newer one."
        ),
        (
            "L'entrée {seq} du journal de {account} n'est pas de cette version de Cambist. "
            "Lancez la version qui l'a écrite, ou une plus récente."
        ),
    ),
    "past.no_order": (
        "The account {account} has no order {order!r}. List the orders to see those that there are.",
        "Le compte {account} n'a pas d'ordre {order!r}. Affichez la liste des ordres pour voir ceux qui existent.",
    ),
    "past.not_running": (
        "The bot was not running.",
        "Le robot n'était pas en marche.",
    ),
}
