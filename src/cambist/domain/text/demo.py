"""Texts: the demonstration."""

TEXTS: dict[str, tuple[str, str]] = {
    "demo.help": (
        (
            "Backtest the sample strategies side by side on a synthetic market: no network, no key.\n\n"
            "The market is put into the lake as venue `synthetic`, the results are kept, and one report is written."
        ),
        (
            "Backtester les stratégies d'exemple côte à côte sur un marché synthétique : sans réseau, sans clé.\n\n"
            "Le marché est versé dans le lac sous la bourse `synthetic`, les résultats sont conservés "
            "et un rapport HTML est écrit."
        ),
    ),
    "demo.option.seed": ("Another seed is another market.", "Une autre graine donne un autre marché."),
    "demo.option.report": ("Where to write the report.", "Où écrire le rapport."),
    "demo.market": ("building a market", "construction d'un marché"),
    "demo.report": ("writing the report", "écriture du rapport"),
    "demo.about": (
        "A synthetic year of {symbols}, {count:,} hourly candles, each strategy from one account of its own:",
        "Une année synthétique de {symbols}, {count:,} bougies horaires, un compte par stratégie :",
    ),
    "demo.stopped": (
        "Stopped. No report was written; results kept: {ids}. The same command does it all anew.",
        "Arrêté. Aucun rapport n'est écrit ; résultats gardés : {ids}. La même commande refait tout.",
    ),
    "demo.done": (
        (
            "Report: {path}\n"
            "Go on: `cambist compare {ids}`, `cambist strategies`,\n"
            "       `cambist backtest ema_cross --symbol BTC/USDT --timeframe 1h --venue synthetic`"
        ),
        (
            "Rapport : {path}\n"
            "La suite : `cambist compare {ids}`, `cambist strategies`,\n"
            "           `cambist backtest ema_cross --symbol BTC/USDT --timeframe 1h --venue synthetic`"
        ),
    ),
}
