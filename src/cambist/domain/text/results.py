"""Texts: the results that are kept, and the database that keeps them."""

TEXTS: dict[str, tuple[str, str]] = {
    "database.failed": ("The database did not obey: {why}", "La base de données n'a pas obéi : {why}"),
    "database.url": (
        "Give sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE.",
        "Donnez sqlite:///FICHIER ou postgresql://UTILISATEUR:MOT_DE_PASSE@HÔTE/BASE.",
    ),
    "database.driver_missing": (
        "PostgreSQL needs the package {driver}, which is not installed: pip install 'psycopg[binary]'",
        "PostgreSQL demande le paquet {driver}, qui n'est pas installé : pip install 'psycopg[binary]'",
    ),
    "database.newer": (
        (
            "A newer Cambist wrote this database (revision {revision}; this one knows up to {head}). "
            "Update Cambist, or point CAMBIST_HOME or DATABASE_URL elsewhere."
        ),
        (
            "Un Cambist plus récent a écrit cette base (révision {revision} ; celui-ci connaît jusqu'à {head}). "
            "Mettez Cambist à jour, ou faites pointer CAMBIST_HOME ou DATABASE_URL ailleurs."
        ),
    ),
    # cambist results
    "results.help": (
        "List finished backtests, the newest first.",
        "Lister les backtests terminés, le dernier d'abord.",
    ),
    "results.option.strategy": ("only those of this strategy", "seulement ceux de cette stratégie"),
    "results.option.limit": ("how many to list", "combien en lister"),
    "results.option.json": ("print JSON instead of tables", "écrire du JSON au lieu de tableaux"),
    "results.kept": ("Kept (UTC)", "Gardé (UTC)"),
    "results.period": ("Period", "Période"),
    "results.option.delete": (
        "Delete this one instead, with its trades and report; again for more.",
        "Supprimer plutôt celui-ci, avec ses trades et son rapport ; à répéter pour plusieurs.",
    ),
    "results.delete.sure": ("{ids} will be gone for good. Delete?", "{ids} : c'est pour de bon. Supprimer ?"),
    "results.deleted": ("Deleted: {ids}", "Supprimé : {ids}"),
    "results.none": (
        "No backtest has been kept yet. `cambist backtest` runs one.",
        "Aucun backtest n'a encore été gardé. `cambist backtest` en exécute un.",
    ),
    "results.none_of": (
        "No backtest of {strategy} has been kept. `cambist results` lists them all.",
        "Aucun backtest de {strategy} n'a été gardé. `cambist results` les liste tous.",
    ),
    "results.not_found": (
        "There is no result #{id}. `cambist results` lists those there are.",
        "Il n'y a pas de résultat n° {id}. `cambist results` liste ceux qui existent.",
    ),
    "results.id_needed": (
        "Give the number of a result, as `cambist results` shows it.",
        "Donnez le numéro d'un résultat, comme `cambist results` le montre.",
    ),
    "results.trades.last": ("the last {shown} of {all}", "les {shown} derniers sur {all}"),
    "results.proof.difference": (
        "First at the candle of {when} UTC, {symbol}, {column}: {used} was used, {truncated} was known then.",
        "D'abord à la bougie du {when} UTC, {symbol}, {column} : {used} utilisé, {truncated} connu alors.",
    ),
    # cambist show
    "show.help": (
        "Show the finished backtest ID: how it was run, its proof, its equity and its metrics.",
        "Montrer le backtest terminé ID : comment il a été exécuté, sa preuve, son capital et ses mesures.",
    ),
    "show.option.trades": ("each trade too", "chaque trade aussi"),
    "show.lowest": ("lowest {value} ({when})", "plus bas {value} ({when})"),
    "show.highest": ("highest {value} ({when})", "plus haut {value} ({when})"),
    "show.data_hash": ("Data hash", "Empreinte des données"),
    "show.code_hash": ("Code hash", "Empreinte du code"),
    "show.more": (
        "Its trades ({count}): `cambist show {id} --trades`.",
        "Ses trades ({count}) : `cambist show {id} --trades`.",
    ),
    # cambist compare
    "compare.help": (
        "Compare finished backtests: in what they differ, and their metrics side by side, the best highlighted.",
        "Comparer des backtests terminés : ce qui les distingue, et leurs mesures côte à côte, la meilleure en valeur.",
    ),
    "compare.two_needed": (
        "Give the numbers of two or more results, as `cambist results` shows them.",
        "Donnez les numéros d'au moins deux résultats, comme `cambist results` les montre.",
    ),
    "compare.failed": (
        "The proof of {ids} failed: those figures cannot be trusted, and are never counted as best.",
        "Preuve en échec pour {ids} : ces chiffres ne sont pas fiables, et ne comptent jamais comme les meilleurs.",
    ),
    "compare.unproved": (
        "{ids}: not proved. Those figures may rest on knowledge of the future.",
        "{ids} : non prouvé. Ces chiffres peuvent reposer sur une connaissance du futur.",
    ),
    "compare.data": (
        "Not the same candles: other markets or periods reward other strategies.",
        "Pas les mêmes bougies : d'autres marchés ou périodes récompensent d'autres stratégies.",
    ),
    "compare.data_changed": (
        "Same market and period, but the candles themselves changed between these runs.",
        "Même marché et même période, mais les bougies elles-mêmes ont changé entre ces exécutions.",
    ),
    "compare.costs": (
        "Not the same costs ({what}): part of the difference is theirs.",
        "Pas les mêmes coûts ({what}) : une part de l'écart en vient.",
    ),
    "compare.cash": (
        "Not the same starting cash: compare percentages, not amounts.",
        "Pas le même capital de départ : comparez les pourcentages, pas les montants.",
    ),
    "compare.code": (
        "The code of {strategy} changed between these runs.",
        "Le code de {strategy} a changé entre ces exécutions.",
    ),
}
