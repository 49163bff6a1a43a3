"""Texts: the drill."""

TEXTS: dict[str, tuple[str, str]] = {
    "cli.drill": (
        "put a strategy through failures and crashes, and count what is lost",
        "faire subir pannes et plantages à une stratégie, et compter les pertes",
    ),
    "drill.help": (
        (
            "Run STRATEGY through everything that can go wrong, and print what was lost: nothing, if all is well.\n\n"
            "An exchange runs on this machine, on a made-up market and a clock of its own, and brings about every "
            "fault that it knows: lost answers, bans, broken sockets, wrong clocks, restarts. Meanwhile the engine's "
            "process is killed (kill -9) before, after and between the steps of its journal, and started again. In the "
            "end each exchange is held against its book. Needs no network and no key."
        ),
        (
            "Faire subir à STRATEGY tout ce qui peut aller mal, et imprimer ce qui s'est perdu : rien, si tout va "
            "bien.\n\nUne bourse tourne sur cette machine, sur un marché inventé et à sa propre horloge, et provoque "
            "toutes les pannes qu'elle connaît : réponses perdues, bannissements, connexions rompues, horloges "
            "fausses, redémarrages. Pendant ce temps, le processus du moteur est tué (kill -9) avant, après et entre "
            "les étapes de son journal, puis relancé. À la fin, chaque bourse est confrontée à ses comptes. Ni réseau "
            "ni clé ne sont nécessaires."
        ),
    ),
    "drill.option.seed": (
        "The first run; each has its own market, faults and deaths.",
        "Le premier passage ; chacun a son marché, ses pannes et ses arrêts.",
    ),
    "drill.option.runs": (
        "How many runs; {runs} meet every fault once.",
        "Nombre de passages ; {runs} rencontrent chaque panne une fois.",
    ),
    "drill.option.hours": (
        "How long a run lasts by the exchange's clock.",
        "Durée d'un passage à l'horloge de la bourse.",
    ),
    "drill.option.workers": (
        "How many runs at once (default: one per core).",
        "Passages simultanés (par défaut : un par cœur).",
    ),
    "drill.hours": (
        "A run lasts from a minute (0.02) to a week (168).",
        "Un passage dure d'une minute (0.02) à une semaine (168).",
    ),
    "drill.number": ("Give a number of at least one.", "Donnez un nombre d'au moins un."),
    "drill.preparing": ("Getting ready", "Préparation"),
    "drill.running": ("Drill", "Exercice"),
    "drill.stopped": ("The drill was stopped.", "L'exercice a été arrêté."),
    "drill.so_far": ("Stopped: these are the runs that were finished.", "Arrêté : voici les passages terminés."),
    "drill.none": ("Stopped before a run was finished.", "Arrêté avant la fin d'un seul passage."),
    "drill.about": (
        "{strategy}: {runs} runs, {kills} engines killed, {struck} faults struck, {orders} orders, {fills} fills.",
        (
            "{strategy} : {runs} passages, {kills} moteurs tués, {struck} pannes subies, {orders} ordres, "
            "{fills} exécutions."
        ),
    ),
    "drill.check": ("Must be zero", "Doit être zéro"),
    "drill.found": ("Found", "Trouvé"),
    "drill.orphans": ("orders that the book does not know", "ordres que les comptes ignorent"),
    "drill.duplicates": ("orders sent twice", "ordres envoyés deux fois"),
    "drill.missing": ("fills missing or invented in the ledger", "exécutions absentes ou inventées au grand livre"),
    "drill.differing": ("ledger less exchange: {asset}", "grand livre moins bourse : {asset}"),
    "drill.nothing_differs": ("ledger less exchange", "grand livre moins bourse"),
    "drill.unprotected": (
        "seconds without a stop, beyond {limit} s each",
        "secondes sans stop, au-delà de {limit} s chacune",
    ),
    "drill.unnoticed": ("exchange without memory, not noticed", "bourse amnésique passée inaperçue"),
    "drill.broke": ("engines that ended by themselves", "moteurs arrêtés d'eux-mêmes"),
    "drill.restless": ("runs that never came to rest", "passages jamais revenus au calme"),
    "drill.longest": (
        "Longest time without a stop, while the engine lived and the exchange answered: {seconds} s.",
        "Plus long temps sans stop, le moteur vivant et la bourse répondant : {seconds} s.",
    ),
    "drill.deaths": ("Engines died: {list}.", "Arrêts des moteurs : {list}."),
    "drill.faults": ("Faults: {list}.", "Pannes : {list}."),
    "drill.why": ("An engine ended by itself: {why}", "Un moteur s'est arrêté de lui-même : {why}"),
    "drill.passed": ("Passed: nothing was lost.", "Réussi : rien n'a été perdu."),
    "drill.failed": (
        "FAILED. Runs that did not pass, by seed: {seeds}.",
        "ÉCHEC. Passages non réussis, par graine : {seeds}.",
    ),
    "drill.no_orders": (
        "The strategy sent no order, so nothing was tried: give it more --hours or --runs.",
        "La stratégie n'a envoyé aucun ordre, rien n'a donc été éprouvé : donnez plus de --hours ou de --runs.",
    ),
}
