"""Of brokers and their keys, exchanges, symbols and what markets show."""

TEXTS: dict[str, tuple[str, str]] = {
    "brokers.no_catalogue": (
        "The list of exchanges cannot be made: {why}",
        "La liste des bourses ne peut pas être établie : {why}",
    ),
    "brokers.no_exchange": (
        "choose an exchange where Cambist can trade: {known}",
        "choisissez une bourse où Cambist peut négocier : {known}",
    ),
    "brokers.unknown_exchange": (
        "There is no exchange {exchange}; near it: {near}.",
        "Il n'y a pas de bourse {exchange} ; proches : {near}.",
    ),
    "brokers.only_shown": (
        "Cambist shows its prices, but cannot trade there; it can at: {known}",
        "Cambist en montre les prix, mais ne peut pas y négocier ; il le peut sur : {known}",
    ),
    "brokers.no_testnet": (
        "{exchange} has no test exchange for spot trading; trade on paper, or use the test exchange of: {others}",
        "{exchange} n'a pas de bourse d'essai au comptant ; négociez en simulation, ou prenez celle de : {others}",
    ),
    "brokers.paper_markets": (
        "a paper account trades on one of these markets: {known}",
        "un compte en simulation négocie sur l'un de ces marchés : {known}",
    ),
    "brokers.paper_needs_none": (
        "a paper account needs no key; choose testnet or live to use one",
        "un compte en simulation n'a pas besoin de clé ; choisissez testnet ou live pour en utiliser une",
    ),
    "brokers.name_taken": (
        "You have an account called {name} already; choose another name.",
        "Vous avez déjà un compte nommé {name} ; choisissez un autre nom.",
    ),
    "brokers.no_key": (
        "No key is kept for the account {account}: give it one first.",
        "Aucune clé n'est gardée pour le compte {account} : donnez-lui-en d'abord une.",
    ),
    "brokers.paper_has_no_key": (
        "{account} is a paper account: it has no key. What it holds is in the portfolio.",
        "{account} est un compte papier : il n'a pas de clé. Ce qu'il détient est dans le portefeuille.",
    ),
    "brokers.may_withdraw": (
        (
            "this key may withdraw money from {exchange}; make one there that may read and trade but not withdraw, "
            "or set force if you must keep this one"
        ),
        (
            "cette clé permet de retirer de l'argent de {exchange} ; créez-y une clé qui puisse lire et négocier mais "
            "pas retirer, ou mettez force si vous devez garder celle-ci"
        ),
    ),
    "brokers.garbled": (
        "{venue} gives none with blanks or accents in it: copy it anew, whole and alone",
        "{venue} n'en donne pas avec des blancs ou des accents : recopiez-la, entière et seule",
    ),
    "brokers.wrong_key": (
        "{venue} does not know this key for {world} trading ({detail}); copy it anew, whole and without spaces",
        "{venue} ne connaît pas cette clé pour le mode {world} ({detail}) ; recopiez-la, entière et sans espaces",
    ),
    "brokers.wrong_secret": (
        "{venue} refuses the signature ({detail}): the secret is not this key's; copy it anew, or make a new key",
        (
            "{venue} refuse la signature ({detail}) : le secret ne va pas avec cette clé ; copiez-le à nouveau, "
            "ou créez une nouvelle clé"
        ),
    ),
    "brokers.wrong_password": (
        "{venue} refuses the passphrase ({detail}): give the one that you chose when you made the key",
        "{venue} refuse la phrase secrète ({detail}) : donnez celle que vous avez choisie en créant la clé",
    ),
    "brokers.other_world": (
        "this key is not for {world} trading at {venue} ({detail}): use a key made in that world, or change the mode",
        "cette clé n'est pas pour le mode {world} de {venue} ({detail}) : prenez-en une de ce mode, ou changez de mode",
    ),
    "brokers.key_or_address": (
        (
            "{venue} refuses this key ({detail}): see that it is whole and made for {world} trading, that the address "
            "of this server is on its list, and that it may read"
        ),
        (
            "{venue} refuse cette clé ({detail}) : vérifiez qu'elle est entière et faite pour le mode {world}, que "
            "l'adresse de ce serveur est dans sa liste, et qu'elle permet de lire"
        ),
    ),
    "brokers.wrong_address": (
        "{venue} does not take this key from this server ({detail}): add the server's address to the key's list there",
        "{venue} refuse cette clé depuis ce serveur ({detail}) : ajoutez-y l'adresse du serveur à la liste de la clé",
    ),
    "brokers.key_expired": (
        "this key has expired at {venue} ({detail}): make a new one there",
        "cette clé a expiré sur {venue} ({detail}) : créez-y-en une nouvelle",
    ),
    "brokers.clock": (
        (
            "{venue} finds the time of our requests wrong ({detail}): set this server's clock by network time, and use "
            "the key in no other program"
        ),
        (
            "{venue} trouve fausse l'heure de nos requêtes ({detail}) : réglez l'horloge de ce serveur par le réseau, "
            "et n'utilisez la clé dans aucun autre programme"
        ),
    ),
    "brokers.no_right": (
        "{venue} knows this key, but it may not read balances ({detail}): give it the right to read there",
        "{venue} connaît cette clé, mais elle ne peut pas lire les soldes ({detail}) : donnez-lui-y le droit de lire",
    ),
    "brokers.account_closed": (
        "{venue} has closed this account or not opened it for programs ({detail}): ask its support",
        "{venue} a fermé ce compte ou ne l'a pas ouvert aux programmes ({detail}) : demandez à son assistance",
    ),
    "brokers.restricted": (
        "{venue} does not serve the country in which this server stands ({detail})",
        "{venue} ne sert pas le pays où se trouve ce serveur ({detail})",
    ),
    "listings.broke": (
        "The symbols of {exchange} could not be refreshed; the server's log says why.",
        "Les symboles de {exchange} n'ont pas pu être actualisés ; le journal du serveur dit pourquoi.",
    ),
    "markets.one_by_one": (
        "{venue} gives prices one at a time: ask for {most} symbols at most.",
        "{venue} donne les prix un à un : demandez {most} symboles au plus.",
    ),
    "markets.how_many": ("name from 1 to {most} symbols", "nommez de 1 à {most} symboles"),
    "markets.span": (
        "it must be before {until}, where what is asked for ends",
        "il doit précéder {until}, où finit ce qui est demandé",
    ),
    "markets.no_exchange": (
        "no exchange is called so; the list of exchanges has them all",
        "aucune bourse ne se nomme ainsi ; la liste des bourses les a toutes",
    ),
    "markets.no_book": (
        "The made-up market has no order book; its last prices are at /markets/tickers.",
        "Le marché inventé n'a pas de carnet d'ordres ; ses derniers prix sont à /markets/tickers.",
    ),
    "markets.nothing_made_up": (
        "The made-up market has shown no candles of {symbol} yet: start it, or a bot on it.",
        "Le marché inventé n'a pas encore montré de bougies de {symbol} : démarrez-le, ou un bot dessus.",
    ),
}
