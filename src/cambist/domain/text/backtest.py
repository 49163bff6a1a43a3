"""Texts: backtests."""

TEXTS: dict[str, tuple[str, str]] = {
    "backtest.stopped": (
        "Stopped at {percent} % of the backtest; nothing was written.",
        "Arrêté à {percent} % du backtest ; rien n'a été écrit.",
    ),
    "backtest.cannot_compile": (
        "The compiled simulator takes one SignalStrategy on one symbol, without detail candles or pyramiding.",
        "Le simulateur compilé prend une SignalStrategy sur un symbole, sans bougies fines ni pyramidage.",
    ),
    "backtest.nothing": ("Give at least one.", "Donnez-en au moins une."),
    "backtest.candles_type": (
        "Give candles, or a list of them: cb.read_candles(path) reads them from a file.",
        "Donnez des bougies, ou une liste : cb.read_candles(chemin) les lit d'un fichier.",
    ),
    "backtest.detail": (
        "It must be a smaller timeframe that divides {own}.",
        "Il faut une unité de temps plus petite qui divise {own}.",
    ),
    "backtest.too_few": (
        "A backtest needs at least two candles.",
        "Un backtest demande au moins deux bougies.",
    ),
    "backtest.too_few_there": (
        "A backtest needs at least two candles; the lake has those of {symbol} from {first} to {last}.",
        "Un backtest demande au moins deux bougies ; le lac a celles de {symbol} du {first} au {last}.",
    ),
    "backtest.twice": (
        "The same strategy with the same parameters is given twice for one symbol.",
        "La même stratégie avec les mêmes paramètres est donnée deux fois pour un symbole.",
    ),
    "backtest.one_currency": (
        "Symbols that share an account must be quoted in one currency.",
        "Les symboles d'un même compte doivent être cotés dans une même devise.",
    ),
    "backtest.funding": (
        "Give times in ascending order (ms) and as many finite rates.",
        "Donnez des dates croissantes (ms) et autant de taux finis.",
    ),
    "note.no_volume": (
        "The candles carry no volume: fills are not limited by it.",
        "Les bougies n'ont pas de volume : il ne limite pas les exécutions.",
    ),
    "note.assumed_rules": (
        "No exchange rules were at hand: tick size, lot step and minimums do not bind.",
        "Aucune règle de bourse disponible : pas de prix, pas de quantité et minimums ne contraignent pas.",
    ),
    "note.no_funding": (
        "No funding was given: what holders of a perpetual pay each other is left out.",
        "Aucun financement donné : ce que se versent les détenteurs d'un perpétuel n'est pas compté.",
    ),
    "note.refused": ("{count} wishes refused: {why}", "{count} souhaits refusés : {why}"),
    "refused.short_on_spot": ("shorts are not possible on spot", "pas de vente à découvert au comptant"),
    "refused.already_in": ("a position is held already", "une position est déjà ouverte"),
    "refused.contradiction": (
        "long and short, or in and out, at once",
        "achat et vente, ou entrée et sortie, à la fois",
    ),
    "refused.no_size": ("the size is not a positive number", "la taille n'est pas un nombre positif"),
    "refused.no_stop_for_risk": (
        "a size by risk needs a stop-loss",
        "une taille par le risque demande un stop-loss",
    ),
    "refused.no_cash": ("no cash is left", "il ne reste pas d'argent"),
    "refused.below_min_quantity": ("below the smallest quantity", "sous la quantité minimale"),
    "refused.below_min_notional": ("below the smallest order value", "sous la valeur d'ordre minimale"),
    "refused.exit_pending": ("an exit is still under way", "une sortie est encore en cours"),
    "refused.expired": (
        "volume, cash or minimums allowed no fill",
        "volume, argent ou minimums n'ont permis aucune exécution",
    ),
    "backtest.no_candles": (
        (
            "The lake has no candles of {symbol}. It has: {known}. "
            "Bring some with `cambist import FILE` or `cambist download VENUE SYMBOL TIMEFRAME`; "
            "`cambist demo` makes some up."
        ),
        (
            "Le lac n'a pas de bougies de {symbol}. Il a : {known}. "
            "Versez-en avec `cambist import FICHIER` ou `cambist download BOURSE SYMBOLE UNITÉ` ; "
            "`cambist demo` en invente."
        ),
    ),
    "backtest.which_venue": (
        "The lake has {symbol} of several venues; choose one: {known}",
        "Le lac a {symbol} de plusieurs bourses ; choisissez : {known}",
    ),
    "backtest.set_form": ("Write --set name=value.", "Écrivez --set nom=valeur."),
    "backtest.running": ("{strategy} on {symbols} {timeframe}", "{strategy} sur {symbols} {timeframe}"),
    "backtest.report_written": ("Report: {path}", "Rapport : {path}"),
    "backtest.kept": (
        "Kept as #{id}: `cambist show {id}`, `cambist compare {id} ...`",
        "Conservé sous #{id} : `cambist show {id}`, `cambist compare {id} ...`",
    ),
    "backtest.help": (
        (
            "Run STRATEGY over past candles of the lake.\n\n"
            "STRATEGY is the name of a sample (`cambist strategies` lists them) or a file, `path/to/file.py[:Class]`. "
            "Each backtest is checked for looking ahead and for its warm-up, and is kept for `cambist results`.\n\n"
            "\b\nExamples:\n"
            "  cambist backtest ema_cross --symbol BTC/USDT --timeframe 1h\n"
            "  cambist backtest my.py --symbol BTC/USDT --timeframe 4h --since 2023-01-01 --set fast=8\n"
            "  cambist backtest ema_cross --symbol BTC/USDT --symbol ETH/USDT --timeframe 1h   (one account)"
        ),
        (
            "Exécuter STRATEGY sur les bougies passées du lac.\n\n"
            "STRATEGY est le nom d'un exemple (voir `cambist strategies`) ou un fichier, `chemin/fichier.py[:Classe]`. "
            "Chaque backtest est contrôlé (regard vers le futur, échauffement) et conservé pour `cambist results`.\n\n"
            "\b\nExemples :\n"
            "  cambist backtest ema_cross --symbol BTC/USDT --timeframe 1h\n"
            "  cambist backtest ma.py --symbol BTC/USDT --timeframe 4h --since 2023-01-01 --set fast=8\n"
            "  cambist backtest ema_cross --symbol BTC/USDT --symbol ETH/USDT --timeframe 1h   (un seul compte)"
        ),
    ),
    "backtest.option.symbol": (
        "Symbol, such as BTC/USDT; repeat it to trade several from one account.",
        "Symbole, par exemple BTC/USDT ; répétez l'option pour en traiter plusieurs depuis un seul compte.",
    ),
    "backtest.option.venue": (
        "Venue of the candles; not needed if the lake has the symbol of one only.",
        "Bourse des bougies ; inutile si le lac n'en a qu'une pour ce symbole.",
    ),
    "backtest.option.cash": ("Cash at the start, in quote currency.", "Capital de départ, en devise de cotation."),
    "backtest.option.fee_bps": (
        "Fee in basis points of the notional (10 = 0.1 %).",
        "Frais en points de base du montant (10 = 0,1 %).",
    ),
    "backtest.option.maker_fee_bps": (
        "Fee of fills that waited in the book, if it differs.",
        "Frais des ordres qui attendaient au carnet, s'ils diffèrent.",
    ),
    "backtest.option.slippage_bps": (
        "By how much market fills are worse than the price they act at, half the usual spread included.",
        "De combien les exécutions au marché sont pires que le prix visé, demi-écart habituel compris.",
    ),
    "backtest.option.spread_bps": (
        "A further spread between bid and ask; half of it is paid.",
        "Un écart supplémentaire entre achat et vente ; la moitié en est payée.",
    ),
    "backtest.option.volume_share": (
        "Largest share of a candle's volume that one order takes; 0 for no limit.",
        "Part maximale du volume d'une bougie qu'un ordre prend ; 0 pour aucune limite.",
    ),
    "backtest.option.pyramiding": (
        "How many entries may be held at once.",
        "Combien d'entrées peuvent être tenues à la fois.",
    ),
    "backtest.option.limit_touch": (
        "Fill limit orders when price only touches them (default: when it trades through).",
        "Exécuter les ordres à cours limité dès que le prix les touche (sinon : quand il les traverse).",
    ),
    "backtest.option.detail": (
        "A smaller timeframe of the lake that decides what happens within a candle.",
        "Une unité de temps plus petite du lac, qui décide de ce qui arrive dans une bougie.",
    ),
    "backtest.option.set": (
        "A parameter of the strategy: --set fast=10 slow=30.",
        "Un paramètre de la stratégie : --set fast=10 slow=30.",
    ),
    "backtest.option.no_proof": (
        "Do without the proof; the report is branded.",
        "Se passer de la preuve ; le rapport en est marqué.",
    ),
    "backtest.option.no_keep": ("Do not keep the result.", "Ne pas conserver le résultat."),
    "backtest.option.report": (
        "Write the report to this HTML file.",
        "Écrire le rapport dans ce fichier HTML.",
    ),
    "backtest.option.json": ("Print JSON.", "Afficher du JSON."),
}
