"""Of what a bot traded beside what its backtest would have traded: `cambist parity`."""

TEXTS: dict[str, tuple[str, str]] = {
    "parity.help": (
        "Compare what BOT traded with what its backtest trades on the candles that BOT saw, and say why they differ.",
        "Comparer ce que BOT a négocié à ce que son backtest négocie sur les bougies vues par BOT, et dire pourquoi.",
    ),
    "parity.option.day": (
        "only what was entered or has ended on this day (UTC)",
        "seulement ce qui est entré ou a fini ce jour-là (UTC)",
    ),
    "parity.option.json": ("write the report to this file, as JSON", "écrire le rapport dans ce fichier, en JSON"),
    "parity.written": ("Report: {path}", "Rapport : {path}"),
    "parity.day_form": ("Give a day, such as 2026-11-20.", "Donnez un jour, comme 2026-11-20."),
    # -- what cannot be compared
    "parity.never_ran": (
        "{bot} has never been started: there is nothing to compare. `cambist bot start {bot}` starts it.",
        "{bot} n'a jamais été démarré : il n'y a rien à comparer. `cambist bot start {bot}` le démarre.",
    ),
    "parity.nothing_seen": (
        "{bot} has not seen a single {timeframe} candle of {symbol} yet. Wait for one to close.",
        "{bot} n'a encore vu aucune bougie {timeframe} de {symbol}. Attendez qu'une se ferme.",
    ),
    "parity.not_that_day": (
        "{bot} saw no candle on that day: it ran from {first} to {last} UTC.",
        "{bot} n'a vu aucune bougie ce jour-là : il a tourné du {first} au {last} UTC.",
    ),
    # -- the report
    "parity.none": ("0 differences in {trades} trades", "0 différence sur {trades} trades"),
    "parity.some": (
        "{count} differences in {trades} trades; {matched} are the same to the digit",
        "{count} différences sur {trades} trades ; {matched} sont identiques au chiffre près",
    ),
    "parity.period": ("Period (UTC)", "Période (UTC)"),
    "parity.candles": ("Candles decided on", "Bougies décidées"),
    "parity.candles.detail": (
        "{candles} ({missing} missing, {repaired} repaired, {late} too late)",
        "{candles} ({missing} absentes, {repaired} réparées, {late} trop tardives)",
    ),
    "parity.trades": ("Trades", "Trades"),
    "parity.pnl": ("Profit after fees", "Profit après frais"),
    "parity.both": ("live {live}, backtest {tested}", "réel {live}, backtest {tested}"),
    "parity.both.money": (
        "live {live}, backtest {tested}: {difference} {currency}",
        "réel {live}, backtest {tested} : {difference} {currency}",
    ),
    "parity.column.when": ("Candle (UTC)", "Bougie (UTC)"),
    "parity.column.cause": ("Cause", "Cause"),
    "parity.column.leg": ("Of", "De"),
    "parity.column.live": ("Live", "Réel"),
    "parity.column.tested": ("Backtest", "Backtest"),
    "parity.column.money": ("Made ({currency})", "Effet ({currency})"),
    "parity.column.count": ("Differences", "Différences"),
    "parity.column.why": ("Why", "Pourquoi"),
    "parity.cause.price": ("price", "prix"),
    "parity.cause.time": ("time", "heure"),
    "parity.cause.missing": ("missing", "manquant"),
    "parity.cause.extra": ("extra", "en trop"),
    "parity.cause.size": ("size", "taille"),
    "parity.cause.fee": ("fee", "frais"),
    "parity.cause.funding": ("funding", "financement"),
    "parity.leg.entry": ("entry", "entrée"),
    "parity.leg.exit": ("exit", "sortie"),
    "parity.leg.trade": ("trade", "trade"),
    "parity.still_open": ("still open", "encore ouvert"),
    "parity.status.created": ("not started", "pas démarré"),
    "parity.status.running": ("running", "en marche"),
    "parity.status.suspended": ("suspended by a person", "suspendu par une personne"),
    "parity.status.paused": ("paused, for its strategy had failed", "en pause, sa stratégie ayant échoué"),
    "parity.status.stopped": ("stopped by a person", "arrêté par une personne"),
    "parity.status.deleted": ("deleted", "supprimé"),
    # -- why: a person
    "parity.why.by_hand": ("a person decided it", "une personne l'a décidé"),
    "parity.why.flattened": ("a person closed all positions", "une personne a tout fermé"),
    "parity.why.status": ("the bot was {about}", "le bot était {about}"),
    "parity.why.taken_back": (
        "the waiting entry was taken back when a person stopped or limited trading",
        "l'entrée en attente a été retirée quand une personne a arrêté ou limité le trading",
    ),
    # -- why: the engine
    "parity.why.refused": ("the entry was refused: {about}", "l'entrée a été refusée : {about}"),
    "parity.why.tested_refused": (
        "the backtest refused the entry: {about}",
        "le backtest a refusé l'entrée : {about}",
    ),
    "parity.why.breaker": (
        "the equity breaker closed all positions",
        "le coupe-circuit du capital a tout fermé",
    ),
    "parity.why.halved": (
        "the equity breaker had made entries smaller",
        "le coupe-circuit du capital avait réduit les entrées",
    ),
    "parity.why.unprotected": (
        "the position was closed because its stop could not be placed in time",
        "la position a été fermée car son stop n'a pas pu être placé à temps",
    ),
    "parity.why.watched": (
        "the guard did not rest at the venue: Cambist watched the price and closed at market",
        "la protection n'était pas à la bourse : Cambist surveillait le prix et a fermé au marché",
    ),
    # -- why: the venue
    "parity.why.venue_refused": ("the venue refused the entry: {reason}", "la bourse a refusé l'entrée : {reason}"),
    "parity.why.expired": (
        "the entry expired at the venue without a fill",
        "l'entrée a expiré à la bourse sans exécution",
    ),
    "parity.why.unknown": (
        "no answer came to the entry, and the venue has not said what became of it",
        "l'entrée est restée sans réponse, et la bourse n'a pas dit ce qu'elle est devenue",
    ),
    "parity.why.lost": (
        "the answer to an order was lost and had to be asked for",
        "la réponse à un ordre s'est perdue et il a fallu la demander",
    ),
    "parity.why.partial": (
        "the entry filled {filled} of {asked}, then ended",
        "l'entrée a exécuté {filled} sur {asked}, puis a pris fin",
    ),
    "parity.why.parts": ("it filled in {count} parts", "exécuté en {count} parties"),
    "parity.why.venue_price": (
        "the venue filled it at its own price ({bps} basis points)",
        "la bourse l'a exécuté à son propre prix ({bps} points de base)",
    ),
    "parity.why.venue_time": (
        "the venue filled it in another candle",
        "la bourse l'a exécuté dans une autre bougie",
    ),
    "parity.why.delay": (
        "the order filled {seconds} s after the close on which it was decided",
        "l'ordre a été exécuté {seconds} s après la clôture sur laquelle il fut décidé",
    ),
    "parity.why.venue_size": (
        "the venue had another quantity to give, or the budget allowed for its fees",
        "la bourse avait une autre quantité à donner, ou le budget prévoyait ses frais",
    ),
    "parity.why.fee_rate": (
        "the venue charged its own rate (in basis points)",
        "la bourse a appliqué son propre taux (en points de base)",
    ),
    "parity.why.fee_asset": ("the venue took its fee in {assets}", "la bourse a prélevé ses frais en {assets}"),
    "parity.why.funding": (
        "funding was exchanged, of which the candles do not tell",
        "un financement a été échangé, dont les bougies ne disent rien",
    ),
    # -- why: what was seen and decided
    "parity.why.gap": (
        "the bot never saw the candle of {when}",
        "le bot n'a jamais vu la bougie de {when}",
    ),
    "parity.why.gap_before": (
        "the strategy decided otherwise after the candle of {when}, which the bot never saw",
        "la stratégie a décidé autrement après la bougie de {when}, que le bot n'a jamais vue",
    ),
    "parity.why.restarted": (
        "the strategy decided otherwise; it began anew at the restart of {when}, without what it kept in memory",
        "la stratégie a décidé autrement ; au redémarrage de {when} elle a perdu ce qu'elle gardait en mémoire",
    ),
    "parity.why.decided": (
        "the strategy decided otherwise on the same candle: its code or what it rests on has changed",
        "la stratégie a décidé autrement sur la même bougie : son code, ou ce qu'il utilise, a changé",
    ),
    "parity.why.in_trade": (
        "the bot was still in its trade of {when}, which differs",
        "le bot était encore dans son trade de {when}, qui diffère",
    ),
    "parity.why.tested_in_trade": (
        "the backtest was still in its trade of {when}, which differs",
        "le backtest était encore dans son trade de {when}, qui diffère",
    ),
    "parity.why.equity": (
        "earlier differences had moved its equity by {amount}",
        "des différences antérieures avaient déplacé son capital de {amount}",
    ),
    "parity.why.reasons": (
        "it ended by {live} live and by {tested} in the backtest",
        "il a fini par {live} en réel et par {tested} dans le backtest",
    ),
    "parity.why.silent": ("the journal does not say", "le journal ne le dit pas"),
    # -- what to know of the comparison
    "parity.note.journal": (
        "From entry {seq} on the journal would come out otherwise today: settings or versions have changed since.",
        "Dès l'entrée {seq}, le journal donnerait autre chose aujourd'hui : réglages ou versions ont changé depuis.",
    ),
    "parity.note.warm_up": (
        "Only {count} of the {needed} candles that the strategy needs before its first decision are known.",
        "Seules {count} des {needed} bougies qu'il faut à la stratégie avant sa première décision sont connues.",
    ),
    "parity.note.failed": (
        "In the backtest the strategy failed, and decided no more: {error}",
        "Dans le backtest, la stratégie a échoué et n'a plus décidé : {error}",
    ),
}
