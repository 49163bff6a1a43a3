"""Texts: venues, downloads, and the options that name a market and a span of time."""

TEXTS: dict[str, tuple[str, str]] = {
    "options.moment.metavar": ("DATE", "DATE"),
    "options.moment.known": (
        "Give a date or a date-time in UTC, from 1970 on, such as 2024-01-31 or 2024-01-31T12:30.",
        "Donnez une date ou une date et heure UTC, à partir de 1970, par exemple 2024-01-31 ou 2024-01-31T12:30.",
    ),
    "options.venue": ("the exchange, such as binance or kraken", "la bourse, par exemple binance ou kraken"),
    "options.symbol": ("what is traded, such as BTC/USDT", "ce qui s'échange, par exemple BTC/USDT"),
    "options.timeframe": ("the length of a candle: {known}", "la durée d'une bougie : {known}"),
    "options.since": (
        "first moment wanted, a date or a date-time, UTC",
        "premier instant voulu, une date ou une date et heure, UTC",
    ),
    "options.until": (
        "where to end, not included; a date or a date-time, UTC",
        "où finir, non compris ; une date ou une date et heure, UTC",
    ),
    "venue.known": (
        "No such exchange among the {count} known. Did you mean: {near}?",
        "Cette bourse n'est pas parmi les {count} connues. Vouliez-vous dire : {near} ?",
    ),
    "venue.symbol_near": (
        "{venue} does not trade {symbol!r}. Did you mean: {near}?",
        "{venue} ne négocie pas {symbol!r}. Vouliez-vous dire : {near} ?",
    ),
    "venue.symbol_unknown": (
        "{venue} does not trade {symbol!r}. Symbols are written like BTC/USDT, perpetuals like BTC/USDT:USDT.",
        "{venue} ne négocie pas {symbol!r}. Un symbole s'écrit comme BTC/USDT, un perpétuel comme BTC/USDT:USDT.",
    ),
    "venue.kind": (
        "{venue} trades {symbol} as {kind}; only spot pairs and perpetuals are supported.",
        "{venue} négocie {symbol} en {kind} ; seuls le comptant et les perpétuels sont pris en charge.",
    ),
    "venue.no_perpetuals": (
        "{symbol} is a perpetual: those are traded on paper and in backtests; at {venue}, with real money, spot pairs.",
        (
            "{symbol} est un perpétuel : ils se négocient sur papier et en backtest ; chez {venue}, avec de l'argent "
            "réel, seul le comptant."
        ),
    ),
    "venue.no_candles": ("{venue} gives no candles.", "{venue} ne donne pas de bougies."),
    "venue.timeframes": (
        "{venue} keeps none from which it could be made; it offers: {known}.",
        "{venue} n'en a pas qui permettent de la former ; elle propose : {known}.",
    ),
    "venue.misaligned": (
        "{venue} opens its {timeframe} candles at another time than ours (one at {ts} ms); take a shorter timeframe.",
        (
            "{venue} ouvre ses bougies {timeframe} à une autre heure que les nôtres (l'une à {ts} ms) ; "
            "prenez une unité de temps plus courte."
        ),
    ),
    "venue.left_out": (
        "{venue} sent {count} candles that cannot be, left out as gaps; the first: {row}",
        "{venue} a envoyé {count} bougies impossibles, laissées de côté comme des trous ; la première : {row}",
    ),
    "venue.not_found": ("{venue} does not know it: {detail}", "{venue} ne le connaît pas : {detail}"),
    "venue.refused": ("{venue} refused: {detail}", "{venue} a refusé : {detail}"),
    "venue.check_input": ("The venue said so.", "C'est la bourse qui le dit."),
    "venue.unavailable": (
        "{venue} did not answer as it should: {detail}",
        "{venue} n'a pas répondu comme il faut : {detail}",
    ),
    "venue.rate_limited": (
        "{venue} asks for fewer requests: {detail}",
        "{venue} demande moins de requêtes : {detail}",
    ),
    "venue.outcome_unknown": (
        "{venue} may or may not have done it; ask before trying again: {detail}",
        "{venue} l'a peut-être fait, peut-être pas ; vérifiez avant de recommencer : {detail}",
    ),
    "venue.detail.timeout": ("no answer in time", "pas de réponse à temps"),
    "venue.detail.connection": ("the connection failed or broke", "la connexion a échoué ou s'est rompue"),
    "venue.detail.not_json": ("the answer is not JSON: {start}", "la réponse n'est pas du JSON : {start}"),
    "venue.waiting": (
        "{why}; asking again in {seconds} s (tries left: {left})",
        "{why} ; nouvel essai dans {seconds} s (essais restants : {left})",
    ),
    "venue.given_up": (
        (
            "{why}; gave up after {tries} tries. Check the connection and {venue}'s status page, then run the same "
            "command again: it goes on where it stopped."
        ),
        (
            "{why} ; abandon après {tries} essais. Vérifiez la connexion et l'état de {venue}, puis relancez la même "
            "commande : elle reprend où elle s'est arrêtée."
        ),
    ),
    "venue.banned": (
        (
            "{venue} has shut this address out for {minutes} more minutes, for too many requests. "
            "Run the same command again after that: it goes on where it stopped."
        ),
        (
            "{venue} bloque cette adresse pour encore {minutes} minutes, pour excès de requêtes. "
            "Relancez ensuite la même commande : elle reprend où elle s'est arrêtée."
        ),
    ),
    "download.help": (
        (
            "Fetch candles from an exchange into the lake.\n\n"
            "VENUE is an exchange such as binance, SYMBOL a pair such as BTC/USDT (a perpetual: BTC/USDT:USDT), "
            "TIMEFRAME a length such as 1h. Only what the lake lacks is fetched: stop with Ctrl-C whenever "
            "you like, and run the same command again to go on.\n\n"
            "Example: cambist download binance BTC/USDT 1h --since 2023-01-01 --until 2024-01-01"
        ),
        (
            "Télécharger des bougies d'une bourse dans le lac.\n\n"
            "VENUE est une bourse comme binance, SYMBOL une paire comme BTC/USDT (un perpétuel : BTC/USDT:USDT), "
            "TIMEFRAME une durée comme 1h. Seul ce qui manque au lac est téléchargé : arrêtez par Ctrl-C quand "
            "vous voulez, relancez la même commande pour continuer.\n\n"
            "Exemple : cambist download binance BTC/USDT 1h --since 2023-01-01 --until 2024-01-01"
        ),
    ),
    "download.since_default": (
        "{option} (default: where the lake's candles begin)",
        "{option} (par défaut : où commencent les bougies du lac)",
    ),
    "download.until_default": ("{option} (default: now)", "{option} (par défaut : maintenant)"),
    "download.since_needed": (
        "The lake holds none of these candles yet: say where to begin, such as --since 2023-01-01.",
        "Le lac n'a encore aucune de ces bougies : dites où commencer, par exemple --since 2023-01-01.",
    ),
    "download.span": (
        "The end must come after the beginning ({since}).",
        "La fin doit venir après le début ({since}).",
    ),
    "download.bar": ("{symbol} {timeframe}", "{symbol} {timeframe}"),
    "download.rate": ("{rate:,.0f} candles/s", "{rate:,.0f} bougies/s"),
    "download.nothing": (
        ("Nothing new: the lake holds {venue} {symbol} {timeframe} from {since} to {until} ({held:,} candles)."),
        ("Rien de nouveau : le lac contient {venue} {symbol} {timeframe} du {since} au {until} ({held:,} bougies)."),
    ),
    "download.done": (
        "{added:,} new candles of {venue} {symbol} {timeframe}; the lake holds {held:,} from {since} to {until}.",
        "{added:,} nouvelles bougies de {venue} {symbol} {timeframe} ; le lac en a {held:,} du {since} au {until}.",
    ),
    "download.absent": (
        "{absent:,} candles of that span do not exist at {venue} (not listed yet, no trade, or maintenance).",
        "{absent:,} bougies de la période n'existent pas chez {venue} (pas encore cotées, aucun échange, maintenance).",
    ),
    "download.stopped": (
        "Stopped. {added:,} new candles of {venue} {symbol} {timeframe} are kept; the same command goes on from there.",
        "Arrêté. {added:,} nouvelles bougies de {venue} {symbol} {timeframe} gardées ; la même commande reprend là.",
    ),
    "download.broken_off": (
        "The {arrived:,} candles that arrived are kept.",
        "Les {arrived:,} bougies arrivées sont gardées.",
    ),
}
