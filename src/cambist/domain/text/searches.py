"""Texts: finished searches, where they are kept and shown."""

TEXTS: dict[str, tuple[str, str]] = {
    "searches.help": (
        (
            "List finished searches, the newest first, or show the one whose number is given: the word on it, "
            "what was chosen, and how that did."
        ),
        (
            "Lister les recherches terminées, la dernière d'abord, ou montrer celle dont le numéro est donné : "
            "le verdict, ce qui fut choisi, et ses résultats."
        ),
    ),
    "searches.option.delete": (
        "Delete this one instead, with its report; again for more. Its trials go on counting in its study.",
        "Supprimer plutôt celle-ci, avec son rapport ; à répéter. Ses essais comptent toujours dans son étude.",
    ),
    "searches.none": (
        "No search has been kept yet. `cambist optimise` runs one.",
        "Aucune recherche n'a encore été gardée. `cambist optimise` en exécute une.",
    ),
    "searches.id_needed": (
        "Give the number of a search, as `cambist searches` shows it.",
        "Donnez le numéro d'une recherche, comme `cambist searches` le montre.",
    ),
    "searches.not_found": (
        "There is no search #{id}. `cambist searches` lists those there are.",
        "Il n'y a pas de recherche n° {id}. `cambist searches` liste celles qui existent.",
    ),
    "searches.in_sample": ("Chosen on", "Choisi sur"),
    "searches.out_of_sample": ("Held back", "Mis de côté"),
    "searches.chosen": ("Chosen", "Choisi"),
    "searches.goals": ("Goal", "But"),
    "searches.where": ("Only where", "Seulement si"),
    "searches.trials": ("Trials", "Essais"),
    "searches.counted": (
        "{trials} trials, {counted} over the study's whole life",
        "{trials} essais, {counted} sur toute la vie de l'étude",
    ),
    "searches.study": ("Study", "Étude"),
    "searches.split": ("Held back from", "Mis de côté dès le"),
    # cambist optimise
    "optimise.help": (
        (
            "Search the parameters of STRATEGY: a name, or path/to/file.py[:Class]. What is searched is written "
            "NAME=LOW:HIGH:STEP, NAME=LOW:HIGH or NAME=A,B,C; without it a few values of each parameter are tried. "
            "Ends with a plain word on whether to believe what was found. The same command goes on where it stopped."
        ),
        (
            "Chercher les paramètres de STRATEGY : un nom, ou chemin/du/fichier.py[:Classe]. On écrit ce qu'on cherche "
            "NOM=BAS:HAUT:PAS, NOM=BAS:HAUT ou NOM=A,B,C ; sinon quelques valeurs de chaque paramètre sont essayées. "
            "Finit par un mot clair : faut-il croire ce qui fut trouvé ? La même commande reprend là où on l'a arrêtée."
        ),
    ),
    "optimise.option.symbol": (
        "Symbol to trade, such as BTC/USDT; several trade equal parts of the cash.",
        "Symbole à négocier, comme BTC/USDT ; plusieurs se partagent le capital à parts égales.",
    ),
    "optimise.option.timeframe": (
        "Candle length; several are searched like a parameter.",
        "Durée des bougies ; plusieurs sont cherchées comme un paramètre.",
    ),
    "optimise.option.method": (
        "How combinations are found: all of them, at random, or by what the others gave (nsga2: several objectives).",
        "Comment trouver les combinaisons : toutes, au hasard, ou d'après les autres (nsga2 : plusieurs buts).",
    ),
    "optimise.option.trials": (
        "How many to try in all, over all sessions.  [default: the whole grid, else 100]",
        "Combien en essayer en tout, toutes sessions confondues.  [défaut : toute la grille, sinon 100]",
    ),
    "optimise.option.objective": (
        "What is best: sharpe, calmar, sortino, return/drawdown, any metric, an expression; several: tpe, nsga2.",
        (
            "Ce qui est le mieux : sharpe, calmar, sortino, return/drawdown, une mesure ou une expression ; "
            "plusieurs avec tpe, nsga2."
        ),
    ),
    "optimise.option.where": (
        "Only combinations for which this holds, such as 'fast < slow'.",
        "Seulement les combinaisons où cela est vrai, comme 'fast < slow'.",
    ),
    "optimise.option.split": (
        "Share of the history to choose on; the rest is held back to try the choice. 1: choose on everything.",
        "Part de l'historique où choisir ; le reste sert à éprouver le choix. 1 : choisir sur tout.",
    ),
    "optimise.option.walk": (
        (
            "Search anew from time to time and trade what was found: 90d/30d (training/test), anchored:90d/30d, or a "
            "number of windows."
        ),
        (
            "Chercher à nouveau de temps en temps et négocier ce qui fut trouvé : 90d/30d (apprentissage/essai), "
            "anchored:90d/30d, ou un nombre de fenêtres."
        ),
    ),
    "optimise.option.purge": (
        "Cut this from the end of each training, such as 1d.",
        "Couper ceci à la fin de chaque apprentissage, comme 1d.",
    ),
    "optimise.option.embargo": (
        "Leave this out of trainings after an earlier test, such as 1d.",
        "Laisser ceci hors des apprentissages après un essai antérieur, comme 1d.",
    ),
    "optimise.option.prune": (
        "Give trials up whose first quarter is worse than most.  [default: with tpe, if the strategy is not compiled]",
        (
            "Abandonner les essais dont le premier quart est sous la moyenne.  [défaut : avec tpe, si la stratégie "
            "n'est pas compilée]"
        ),
    ),
    "optimise.option.seed": (
        "The same seed gives the same search.",
        "La même graine donne la même recherche.",
    ),
    "optimise.option.jobs": (
        "Workers on this machine.  [default: all cores]",
        "Ouvriers sur cette machine.  [défaut : tous les cœurs]",
    ),
    "optimise.option.cluster": (
        "Use the Dask cluster at this address instead, such as tcp://192.168.1.10:8786.",
        "Utiliser plutôt la grappe Dask à cette adresse, comme tcp://192.168.1.10:8786.",
    ),
    "optimise.option.study": (
        "Trials of one study are counted together: each try makes luck likelier.  [default: strategy and market]",
        (
            "Les essais d'une étude sont comptés ensemble : chaque essai rend la chance plus probable.  [défaut : la "
            "stratégie sur son marché]"
        ),
    ),
    "optimise.option.set": (
        "A parameter that every combination has, NAME=VALUE.",
        "Un paramètre commun à toutes les combinaisons, NOM=VALEUR.",
    ),
    "optimise.option.no_keep": (
        "Do not keep the search in the list; its trials count all the same.",
        "Ne pas garder la recherche dans la liste ; ses essais comptent quand même.",
    ),
    "optimise.option.report": (
        "Write the report, one HTML file that opens offline.",
        "Écrire le rapport, un fichier HTML qui s'ouvre hors ligne.",
    ),
    "optimise.option.json": ("Print JSON.", "Afficher du JSON."),
    "optimise.not_runnable": (
        "This code cannot be run: {why}",
        "Ce code ne peut pas être exécuté : {why}",
    ),
    "optimise.kept": (
        "Kept as search #{id}: `cambist searches {id}` shows it again.",
        "Gardé comme recherche n° {id} : « cambist searches {id} » la montre à nouveau.",
    ),
    "optimise.rate": ("{rate}/s", "{rate}/s"),
    "optimise.left": ("{time} left", "reste {time}"),
    "optimise.best": ("best {value} ({params})", "meilleur {value} ({params})"),
    "search.stage.trials": ("Trying combinations", "Essai des combinaisons"),
    "search.stage.chosen": ("Running what was chosen", "Exécution du choix"),
    "search.stage.walk": ("Walking forward", "Marche en avant"),
    "search.stage.paths": ("Cross-validating", "Validation croisée"),
    "search.stage.judge": ("Judging", "Jugement"),
    # by the API
    "searches.trials_most": (
        "A search by the API makes at most {most} trials: give fewer values, or another method.",
        "Une recherche par l'API fait au plus {most} essais : donnez moins de valeurs, ou une autre méthode.",
    ),
    "searches.timeframes": (
        "Give one to five different timeframes.",
        "Donnez une à cinq unités de temps différentes.",
    ),
}
