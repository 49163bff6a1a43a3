"""Texts: the command line as a whole, one line per command."""

TEXTS: dict[str, tuple[str, str]] = {
    "cli.help": (
        (
            "Cambist: research, backtest and trade crypto by program.\n\n"
            "Start with `cambist demo` (backtests side by side) or `cambist up` (a trading floor on paper): "
            "neither needs a network or a key. "
            "`cambist COMMAND --help` explains each command."
        ),
        (
            "Cambist : recherche, backtest et trading crypto par programme.\n\n"
            "Commencez par `cambist demo` (des backtests côte à côte) ou `cambist up` (un plateau sur papier) : "
            "sans réseau et sans clé. "
            "`cambist COMMANDE --help` explique chaque commande."
        ),
    ),
    "cli.commands": ("Commands", "Commandes\u00a0"),
    "options.report.known": (
        "No file can be written there ({why}): name one in a folder that exists and is yours.",
        "Aucun fichier ne peut y être écrit ({why}) : nommez-en un dans un dossier qui existe et vous appartient.",
    ),
    "cli.system": ("This system did not obey: {why}", "Ce système n'a pas obéi : {why}"),
    "cli.version": ("Show the version and exit.", "Montrer la version et terminer."),
    "cli.stopped": ("Stopped.", "Arrêté."),
    "cli.up": (
        "start the trading floor: market, bots on paper, live view",
        "démarrer le plateau : marché, robots, vue",
    ),
    "cli.account": ("accounts, limits, kill switch", "comptes, limites, arrêt d'urgence"),
    "cli.bot": ("make bots, start and stop them", "créer, démarrer et arrêter des robots"),
    "cli.order": ("buy and sell by hand", "acheter et vendre à la main"),
    "cli.alerts": ("list what you should have been told", "lister ce qu'il fallait vous dire"),
    "cli.heartbeat": (
        "show how the heartbeat fares, and its last signals",
        "montrer l'état du heartbeat et ses derniers signaux",
    ),
    "cli.run": ("the floor's parts as separate processes", "les parties du plateau en processus séparés"),
    "cli.demo": (
        "backtest the sample strategies on a synthetic market, side by side",
        "backtester les stratégies d'exemple sur un marché synthétique, côte à côte",
    ),
    "cli.import": ("bring candles from files into the lake", "verser dans le lac des bougies venues de fichiers"),
    "cli.download": ("fetch candles from an exchange into the lake", "télécharger des bougies d'une bourse"),
    "cli.candles": ("list the candles that the lake holds", "lister les bougies que contient le lac"),
    "cli.indicators": ("list the indicators and their parameters", "lister les indicateurs et leurs paramètres"),
    "cli.strategies": ("list the strategies and their parameters", "lister les stratégies et leurs paramètres"),
    "cli.backtest": ("run a strategy over past candles", "exécuter une stratégie sur des bougies passées"),
    "cli.results": ("list finished backtests", "lister les backtests terminés"),
    "cli.show": ("show one finished backtest", "montrer un backtest terminé"),
    "cli.compare": ("compare finished backtests side by side", "comparer des backtests côte à côte"),
    "cli.optimise": (
        "search better parameters, and hear whether to believe them",
        "chercher de meilleurs paramètres, et savoir s'il faut y croire",
    ),
    "cli.searches": ("list finished searches, or show one", "lister les recherches terminées, ou en montrer une"),
    "cli.parity": (
        "compare what a bot traded with its backtest on what the bot saw",
        "comparer ce qu'un robot a négocié à son backtest sur ce qu'il a vu",
    ),
}
