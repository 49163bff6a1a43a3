"""Texts: other people's code, its jail, and what a validation finds."""

TEXTS: dict[str, tuple[str, str]] = {
    "sandbox.refused": (
        (
            "Stored strategies are not run on this server, because the jail for other people's code does not hold "
            "here: {why} If all code on this server is your own, set CAMBIST_TRUST_CODE=true."
        ),
        (
            "Les stratégies enregistrées ne sont pas exécutées sur ce serveur, car la prison pour le code d'autrui "
            "n'y tient pas : {why} Si tout le code de ce serveur est le vôtre, définissez CAMBIST_TRUST_CODE=true."
        ),
    ),
    "sandbox.no_linux": (
        "It needs Linux on x86-64 or ARM64.",
        "Il faut Linux sur x86-64 ou ARM64.",
    ),
    "sandbox.leaks": (
        "What should have been refused came through: {what}.",
        "Ce qui devait être refusé est passé : {what}.",
    ),
    "sandbox.no_zygote": (
        "The process from which jailed ones are made did not start: {why}",
        "Le processus dont naissent les processus emprisonnés n'a pas démarré : {why}",
    ),
    "sandbox.trusted": (
        (
            "Stored strategies run without a jail (CAMBIST_TRUST_CODE): whoever stores one can do all that this "
            "server can."
        ),
        (
            "Les stratégies enregistrées s'exécutent sans prison (CAMBIST_TRUST_CODE) : qui en enregistre une peut "
            "tout ce que peut ce serveur."
        ),
    ),
    "sandbox.too_long": (
        "It took longer than {limit_s} s and was ended.",
        "Elle a mis plus de {limit_s} s et a été arrêtée.",
    ),
    "sandbox.cpu": (
        "It used more computing time than it may, and was ended.",
        "Elle a utilisé plus de temps de calcul que permis et a été arrêtée.",
    ),
    "sandbox.died": (
        "Its process ended ({how}): it crashed, left, or did what a jailed process may not do.",
        (
            "Son processus s'est terminé ({how}) : il a planté, est sorti, ou a fait ce qu'un processus emprisonné ne "
            "peut pas faire."
        ),
    ),
    "sandbox.malformed": (
        "It did not answer as a strategy answers (too long, or not understood), and was ended.",
        "Elle n'a pas répondu comme répond une stratégie (trop long, ou incompréhensible) et a été arrêtée.",
    ),
    "sandbox.raised": ("It raised {error}", "Elle a levé {error}"),
    "sandbox.closed": ("It was ended.", "Elle a été arrêtée."),
    "sandbox.cancelled": ("It was cancelled.", "Elle a été annulée."),
    "sandbox.bad_name": (
        "A stored strategy is named stored:ID@VERSION, such as stored:3@1.",
        "Une stratégie enregistrée se nomme stored:ID@VERSION, par exemple stored:3@1.",
    ),
    "validation.busy": (
        "The server looks at {most} strategies at once, and that many are under way. Try again in a few seconds.",
        "Le serveur examine {most} stratégies à la fois, et autant sont en cours. Réessayez dans quelques secondes.",
    ),
    "validation.size": (
        "The code is longer than {most} characters.",
        "Le code fait plus de {most} caractères.",
    ),
    "validation.syntax": ("{message}", "Erreur de syntaxe : {message}"),
    "validation.import": (
        "{name} cannot be imported. What can: {known}",
        "{name} ne peut pas être importé. Ce qui peut l'être : {known}",
    ),
    "validation.relative": (
        "Relative imports lead nowhere: a strategy is one file.",
        "Un import relatif ne mène nulle part : une stratégie est un seul fichier.",
    ),
    "validation.call": (
        "{name} does not work in the sandbox: a strategy computes and wishes, nothing else.",
        "{name} ne marche pas dans le bac à sable : une stratégie calcule et souhaite, rien d'autre.",
    ),
    "validation.no_method": (
        "{strategy} must define {method}().",
        "{strategy} doit définir {method}().",
    ),
    "validation.look_ahead": (
        (
            "It looks ahead: at the candle of {when}, {column} was {used} in the backtest, but {truncated} with what "
            "was known by then."
        ),
        (
            "Elle regarde l'avenir : à la bougie du {when}, {column} valait {used} dans le backtest, mais {truncated} "
            "avec ce qui était connu à ce moment."
        ),
    ),
    "validation.warm_up": (
        (
            "Its warm-up is too short: at the candle of {when}, {column} was {used} over all history, but {truncated} "
            "over the {candles} candles that it would have live. Set `warmup` in the class."
        ),
        (
            "Son échauffement est trop court : à la bougie du {when}, {column} valait {used} sur tout l'historique, "
            "mais {truncated} sur les {candles} bougies qu'elle aurait en réel. Définissez `warmup` dans la classe."
        ),
    ),
    "validation.no_trades": (
        "It made no trade on {candles} sample candles.",
        "Elle n'a fait aucun trade sur {candles} bougies d'exemple.",
    ),
    "validation.slow": (
        "One decision takes {ms} ms: on short timeframes it may come late.",
        "Une décision prend {ms} ms : sur de courtes unités de temps elle peut venir tard.",
    ),
}
