"""Of venues, the gateway and its request budget."""

TEXTS: dict[str, tuple[str, str]] = {
    "venue.untradable": (
        "Orders cannot be placed safely at {venue}: ccxt offers no {missing} there.",
        "On ne peut pas passer d'ordres sûrement sur {venue} : ccxt n'y offre pas {missing}.",
    ),
    "venue.no_testnet": (
        (
            "{venue} has no test exchange for spot trading. Trade on paper against its real prices, or use the test "
            "exchange of one of: {others}."
        ),
        (
            "{venue} n'a pas de bourse d'essai au comptant. Négociez en simulation sur ses prix réels, ou prenez la "
            "bourse d'essai de l'une de : {others}."
        ),
    ),
    "venue.credentials": (
        "{venue} needs this too, as it gave it to you with the API key.",
        "{venue} en a besoin aussi, tel que donné avec la clé d'API.",
    ),
    "venue.duplicate": (
        "{venue} has had an order of this id before; ask what became of it: {detail}",
        "{venue} a déjà reçu un ordre de cet identifiant ; demandez ce qu'il est devenu : {detail}",
    ),
    "venue.off_step": (
        "{venue} takes {symbol} in steps of {lot} at prices in steps of {tick}, and no less than one: {what} is none.",
        "{venue} prend {symbol} par pas de {lot} à des prix par pas de {tick}, au moins un : {what} n'en est pas.",
    ),
    "venue.no_stops": (
        "{venue} cannot hold a stop for us: Cambist watches it instead.",
        "{venue} ne peut pas garder de stop pour nous : Cambist le surveille à sa place.",
    ),
    "venue.no_oco": (
        "{venue} cannot hold a stop and a take-profit as one order.",
        "{venue} ne peut pas garder un stop et une prise de profit comme un seul ordre.",
    ),
    "venue.no_amend": (
        "{venue} cannot move the trigger of a stop: take it back and place a new one.",
        "{venue} ne peut pas déplacer un seuil de stop : retirez-le et passez-en un nouveau.",
    ),
    "venue.too_many_open": (
        "{venue} shows {count} open orders and may hide more: cancel some that are not needed.",
        "{venue} montre {count} ordres ouverts et peut en cacher d'autres : annulez ceux qui sont inutiles.",
    ),
    "venue.order_unknown": (
        "{venue} knows no order {order}.",
        "{venue} ne connaît pas d'ordre {order}.",
    ),
    "venue.search_too_long": (
        "{venue} lists too many orders to find {order} among them; ask again later.",
        "{venue} a trop d'ordres pour y trouver {order} ; redemandez plus tard.",
    ),
    "venue.fills_stuck": (
        "{venue} has more fills at {ts} ms than it shows at once; ask again later.",
        "{venue} a plus d'exécutions à {ts} ms qu'elle n'en montre à la fois ; redemandez plus tard.",
    ),
    "venue.no_price": ("{venue} states no price for {symbol} now.", "{venue} n'a pas de prix pour {symbol} à présent."),
    "venue.not_ready": (
        "Nothing was sent to {venue}, which is not ready: {why}",
        "Rien n'a été envoyé à {venue}, qui n'est pas prête : {why}",
    ),
    "venue.budget_spent": (
        "Nothing was sent to {venue}: its request budget is spent, or it has shut us out for a while.",
        "Rien n'a été envoyé à {venue} : le budget de requêtes est épuisé, ou elle nous bloque pour un moment.",
    ),
    "venue.ban_begun": (
        "{venue} shuts us out for {seconds} s, for too many requests.",
        "{venue} nous bloque pour {seconds} s, pour excès de requêtes.",
    ),
    "venue.clock": (
        "The clock of {venue} is {ms} ms ahead of ours.",
        "L'horloge de {venue} avance de {ms} ms sur la nôtre.",
    ),
    "gateway.silent": (
        "The gateway did not answer in time.",
        "La passerelle n'a pas répondu à temps.",
    ),
    "gateway.late": (
        "The gateway took the request too late to act on it.",
        "La passerelle a pris la requête trop tard pour y donner suite.",
    ),
    "gateway.taken": (
        "The gateway has taken this request before, and no longer knows what came of it.",
        "La passerelle a déjà pris cette requête et ne sait plus ce qu'il en est advenu.",
    ),
    "gateway.garbled": (
        "A message to or from the gateway cannot be read: {start}",
        "Un message pour la passerelle ou d'elle est illisible : {start}",
    ),
    "gateway.broke": (
        "The gateway failed over this request ({why}); its log says where.",
        "La passerelle a échoué sur cette requête ({why}) ; son journal dit où.",
    ),
    "gateway.account": (
        "The gateway knows no account {account}.",
        "La passerelle ne connaît pas de compte {account}.",
    ),
}
