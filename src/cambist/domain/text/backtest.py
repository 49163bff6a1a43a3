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
    "backtest.too_few": (
        "A backtest needs at least two candles.",
        "Un backtest demande au moins deux bougies.",
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
}
