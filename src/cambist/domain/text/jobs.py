"""Of jobs: backtests and downloads that run by themselves."""

TEXTS: dict[str, tuple[str, str]] = {
    # -- what a job is doing
    "jobs.step.looking": (
        "Looking which candles of {symbol} {timeframe} are missing",
        "Recherche des bougies {symbol} {timeframe} qui manquent",
    ),
    "jobs.step.loading": (
        "Loading candles of {symbol} {timeframe} from {venue}",
        "Chargement des bougies {symbol} {timeframe} de {venue}",
    ),
    "jobs.step.reading": ("Reading the candles", "Lecture des bougies"),
    "jobs.step.running": ("Running the backtest", "Backtest en cours"),
    "jobs.step.keeping": ("Keeping the result", "Enregistrement du résultat"),
    # -- what became of it
    "jobs.cancelled": ("The job was cancelled.", "La tâche a été annulée."),
    "jobs.broken": (
        "Something broke that should not ({why}). The server's log says more.",
        "Quelque chose s'est cassé qui n'aurait pas dû ({why}). Le journal du serveur en dit plus.",
    ),
    "jobs.given_up": (
        "Each worker that took this job died of it. Try fewer candles: it may need more memory than there is.",
        "Chaque processus qui l'a prise en est mort. Essayez avec moins de bougies : la mémoire manque peut-être.",
    ),
    "jobs.out_of_time": (
        "The time for backtests that you have in a day is used up. Wait, or ask an admin for more.",
        "Votre temps de backtest pour un jour est épuisé. Attendez, ou demandez-en plus à un admin.",
    ),
    "jobs.too_many": (
        "{most} jobs of yours are waiting or running already. Wait for one, or cancel one.",
        "Vous avez déjà {most} tâches en attente ou en cours. Attendez-en la fin, ou annulez-en une.",
    ),
    "jobs.not_found": ("There is no job {id}.", "Il n'y a pas de tâche {id}."),
    "jobs.not_yours": ("User {user} has other jobs.", "L'utilisateur {user} a d'autres tâches."),
    # -- what a person gave
    "jobs.strategy": (
        "Give a sample ({known}), or stored:ID or stored:ID@VERSION for one of yours.",
        "Donnez un exemple ({known}), ou stored:ID ou stored:ID@VERSION pour une des vôtres.",
    ),
    "jobs.venue": (
        "There is no such exchange, and there are no candles of that name. Candles are here of: {known}.",
        "Il n'y a ni bourse ni bougies de ce nom. Il y a des bougies de : {known}.",
    ),
    "jobs.no_candles": (
        "{venue} is no exchange that could be asked for its candles. Candles are here of: {known}.",
        "{venue} n'est pas une bourse à qui demander ses bougies. Il y a ici des bougies de : {known}.",
    ),
    "jobs.where": (
        "Give venue or account, one of the two.",
        "Donnez venue ou account, l'un des deux.",
    ),
    "jobs.symbol": ("Write it as BTC/USDT, or BTC/USDT:USDT.", "Écrivez-le comme BTC/USDT, ou BTC/USDT:USDT."),
    "jobs.symbols": ("Give 1 to {most}, each once.", "Donnez-en 1 à {most}, chacun une fois."),
    "jobs.since": (
        "Give when to begin: no candles are here yet of which to take the beginning.",
        "Donnez le début : il n'y a pas encore de bougies dont le prendre.",
    ),
    "jobs.span": (
        "It must be at least two candles before the end, {until}.",
        "Il faut au moins deux bougies avant {until}.",
    ),
    "jobs.too_long": (
        "That would be {count:,} candles. At most {most:,} fit: begin later, or take a longer timeframe.",
        "Cela ferait {count:,} bougies, et il en tient {most:,} : commencez plus tard, ou allongez l'unité de temps.",
    ),
    "jobs.points": ("Give {low} to {high}.", "Donnez {low} à {high}."),
    "jobs.compare": ("Give 2 to {most} results, each once.", "Donnez 2 à {most} résultats, chacun une fois."),
    "jobs.no_report": (
        "Backtest {id} has no report: only those run by the API keep one. Run it again.",
        "Le backtest {id} n'a pas de rapport : seuls ceux de l'API en gardent un. Relancez-le.",
    ),
    # -- workers
    "run.worker.help": (
        "Run backtests and downloads that were asked for by API, until Ctrl-C.",
        "Exécuter les backtests et téléchargements demandés par l'API, jusqu'à Ctrl-C.",
    ),
    "run.worker.option.jobs": (
        "how many run at the same time, each in a process of its own",
        "combien tournent à la fois, chacun dans son processus",
    ),
    "run.worker.none": ("no worker is running", "aucun processus ne travaille"),
}
