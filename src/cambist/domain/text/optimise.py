"""Searches for parameters: expressions, axes, objectives, progress, errors."""

TEXTS: dict[str, tuple[str, str]] = {
    # expressions
    "expression.long": (
        "An expression may have at most {most} characters.",
        "Une expression peut avoir au plus {most} caractères.",
    ),
    "expression.deep": (
        "This expression has parts within parts beyond {most} levels. Write it more simply.",
        "Cette expression imbrique plus de {most} niveaux. Écrivez-la plus simplement.",
    ),
    "expression.syntax": (
        "It cannot be read at column {column}. Write, for instance: fast < slow, or sharpe * sqrt(trades).",
        "Illisible à la colonne {column}. Écrivez par exemple : fast < slow, ou sharpe * sqrt(trades).",
    ),
    "expression.part": (
        (
            "At column {column}, {part!r} is not allowed here. Use numbers, names, + - * / ** %, comparisons, "
            "and or not, x if y else z, and {functions}."
        ),
        (
            "À la colonne {column}, {part!r} n'est pas permis ici. Utilisez des nombres, des noms, + - * / ** %, des "
            "comparaisons, and or not, x if y else z, et {functions}."
        ),
    ),
    "expression.name": (
        "At column {column}: there is no number called {part!r}. Perhaps: {near}",
        "À la colonne {column} : aucun nombre ne s'appelle {part!r}. Peut-être : {near}",
    ),
    "expression.arguments": (
        "At column {column}, {part!r}: {name} takes from {fewest} to {most} numbers.",
        "À la colonne {column}, {part!r} : {name} prend de {fewest} à {most} nombres.",
    ),
    # what is searched
    "space.form": (
        "Write NAME=LOW:HIGH, NAME=LOW:HIGH:STEP, NAME=LOW:HIGH:log or NAME=VALUE,VALUE; for instance fast=5:50:5.",
        "Écrivez NOM=BAS:HAUT, NOM=BAS:HAUT:PAS, NOM=BAS:HAUT:log ou NOM=VALEUR,VALEUR ; par exemple fast=5:50:5.",
    ),
    "space.twice": ("This axis is given twice.", "Cet axe est donné deux fois."),
    "space.empty": ("Give at least one value.", "Donnez au moins une valeur."),
    "space.order": ("The low end must be below the high end.", "La borne basse doit être sous la borne haute."),
    "space.step": ("The step must be above zero.", "Le pas doit être supérieur à zéro."),
    "space.log": ("With log, the low end must be above zero.", "Avec log, la borne basse doit être supérieure à zéro."),
    "space.too_many": (
        "This axis would have more than {most} values. Take a larger step.",
        "Cet axe aurait plus de {most} valeurs. Prenez un pas plus grand.",
    ),
    "space.no_stretch": (
        "This parameter is a word or a yes/no: list its values, as in NAME=VALUE,VALUE.",
        "Ce paramètre est un mot ou un oui/non : listez ses valeurs, comme dans NOM=VALEUR,VALEUR.",
    ),
    "space.nothing": (
        (
            "None of this strategy's parameters has bounds, so nothing says what to try. Name what to search, as in "
            "fast=5:50:5, or declare bounds: param(10, low=5, high=50)."
        ),
        (
            "Aucun paramètre de cette stratégie n'a de bornes : rien ne dit quoi essayer. Nommez-en, "
            "comme dans fast=5:50:5, ou déclarez des bornes : param(10, low=5, high=50)."
        ),
    ),
    "space.timeframe": (
        "There are no candles of this timeframe among those given: {known}",
        "Aucune des séries données n'a cette unité de temps : {known}",
    ),
    "space.endless": (
        "This axis has no step, so its values cannot be counted. Give a step or a list of values.",
        "Cet axe n'a pas de pas : ses valeurs ne se comptent pas. Donnez un pas ou une liste de valeurs.",
    ),
    "space.where_raised": ("This condition raised {what}.", "Cette condition a levé {what}."),
    "space.where_none": (
        "No combination meets these conditions (looked at {tried}). Loosen them, or widen what is searched.",
        "Aucune combinaison ne remplit ces conditions ({tried} examinées). Assouplissez-les, ou élargissez l'espace.",
    ),
    # what it is after
    "goal.none": (
        "Name an objective: sharpe, calmar, sortino, return/drawdown, or an expression of metrics.",
        "Nommez un objectif : sharpe, calmar, sortino, return/drawdown, ou une expression de mesures.",
    ),
    "goal.twice": ("This objective is given twice.", "Cet objectif est donné deux fois."),
    "goal.way": (
        "Of this one neither more nor less is better by itself: write max:{name} or min:{name}.",
        "Ni plus ni moins n'est mieux en soi pour cette mesure : écrivez max:{name} ou min:{name}.",
    ),
    "goal.no_trades": ("No trade at all: {goal} has no value.", "Aucun trade : {goal} n'a pas de valeur."),
    "goal.undefined": ("{goal} has no finite value here.", "{goal} n'a pas de valeur finie ici."),
    # how it goes
    "search.stopped": (
        "Stopped after {done} of {total} trials; all of them are kept. The same command goes on from here.",
        "Arrêté après {done} essais sur {total} ; tous sont conservés. La même commande reprend d'ici.",
    ),
    "search.hopeless": (
        "The first {count} combinations all failed. The first of them: {why}",
        "Les {count} premières combinaisons ont toutes échoué. La première : {why}",
    ),
    "search.none_done": (
        "None of the {count} trials has a value. The first of them: {why}",
        "Aucun des {count} essais n'a de valeur. Le premier : {why}",
    ),
    "search.seed": ("Give a whole number from 0 on.", "Donnez un nombre entier à partir de 0."),
    "search.trials": ("Give a number of trials from 1 on.", "Donnez un nombre d'essais à partir de 1."),
    "search.prune": (
        "Giving trials up early works with the method tpe and a single objective.",
        "L'abandon précoce d'essais va avec la méthode tpe et un seul objectif.",
    ),
    # what proposes
    "proposals.words": (
        "cmaes searches numbers alone, and {axis} is not one. Use tpe or nsga2, or fix {axis}.",
        "cmaes ne cherche que des nombres, et {axis} n'en est pas un. Utilisez tpe ou nsga2, ou fixez {axis}.",
    ),
    "proposals.one_goal": (
        "This method takes a single objective. Use tpe or nsga2 for several.",
        "Cette méthode prend un seul objectif. Utilisez tpe ou nsga2 pour plusieurs.",
    ),
    "proposals.grid": (
        "A grid needs no proposals. Use random, tpe, cmaes or nsga2.",
        "Une grille se passe de propositions. Utilisez random, tpe, cmaes ou nsga2.",
    ),
    "proposals.storage": (
        "The search's memory at {path} cannot be written ({what}). See to it, and repeat: what is done is kept.",
        "La mémoire de la recherche {path} ne peut être écrite ({what}). Corrigez, puis relancez : rien n'est perdu.",
    ),
    "proposals.broken": (
        "The search's memory at {path} cannot be read ({what}). Remove that file: the trials themselves are kept.",
        "La mémoire de la recherche {path} est illisible ({what}). Supprimez-la : les essais eux-mêmes sont conservés.",
    ),
    # -- walks forward and paths
    "walk.share": (
        (
            "Give the share of the history to choose on, between 0 and 1: 0.7, for example. Both parts must last a "
            "minute at least, and a day each where the history is of ten days or more."
        ),
        (
            "Donnez la part de l'historique sur laquelle choisir, entre 0 et 1 : 0.7, par exemple. Chaque partie "
            "doit durer au moins une minute, et un jour si l'historique couvre dix jours ou plus."
        ),
    ),
    "walk.form": (
        (
            "Write training/test: 90d/30d trains on 90 days, tests on the next 30, and moves on by 30. "
            "anchored:90d/30d always trains from the beginning. A number alone, 6, is that many windows. Units: m h "
            "d w."
        ),
        (
            "Écrivez entraînement/test : 90d/30d s'entraîne sur 90 jours, teste sur les 30 suivants, puis avance de "
            "30. anchored:90d/30d s'entraîne toujours depuis le début. Un nombre seul, 6, donne autant de fenêtres. "
            "Unités : m h d w."
        ),
    ),
    "walk.duration": (
        "Write a whole number and a unit: 30m, 12h, 90d or 2w; or 0.",
        "Écrivez un nombre entier et une unité : 30m, 12h, 90d ou 2w ; ou 0.",
    ),
    "walk.too_short": (
        "This needs {needed} of history, and there are {history}. {fit} would fit; so would a longer history.",
        "Il y faut {needed} d'historique, et il y en a {history}. {fit} conviendrait ; un historique plus long aussi.",
    ),
    "walk.too_many": (
        "A history of {history} has no room for so many windows. At most {fit} would fit.",
        "Un historique de {history} n'a pas la place pour tant de fenêtres. {fit} au plus conviendraient.",
    ),
    "walk.purge": (
        "It must be shorter than the training, which is {train}.",
        "Elle doit être plus courte que l'entraînement, qui dure {train}.",
    ),
    "walk.embargo": (
        "It leaves nothing of a training. Give one that is shorter than the test ({test}), or 0.",
        "Il ne reste rien d'un entraînement. Donnez-en un plus court que le test ({test}), ou 0.",
    ),
    "walk.stopped": (
        "Stopped in the walk forward: {done} of {total} tries done.",
        "Arrêté pendant la marche en avant : {done} essais faits sur {total}.",
    ),
    "paths.stopped": (
        "Stopped in cross-validation: {done} of {total} combinations done.",
        "Arrêté pendant la validation croisée : {done} combinaisons faites sur {total}.",
    ),
    # -- crews: who computes
    "crew.workers": (
        "Say how many are to work at once: 1 or more.",
        "Dites combien doivent travailler à la fois : 1 ou plus.",
    ),
    "crew.process_gone": (
        (
            "One of {workers} processes of the search was ended from outside, most often because memory ran out "
            "({why}). What was finished is kept: start the search again with fewer --jobs, and it goes on."
        ),
        (
            "L'un des {workers} processus de la recherche a été arrêté de l'extérieur, le plus souvent faute de "
            "mémoire ({why}). Ce qui était fini est gardé : relancez la recherche avec moins de --jobs, elle "
            "continuera."
        ),
    ),
    "crew.address": (
        "Give the address of the Dask scheduler: tcp://HOST:PORT, for example tcp://192.168.1.10:8786.",
        "Donnez l'adresse de l'ordonnanceur Dask : tcp://MACHINE:PORT, par exemple tcp://192.168.1.10:8786.",
    ),
    "crew.dask_missing": (
        "Clusters need Dask, which is not installed here. Install it: pip install 'cambist[cluster]'",
        ("Les grappes ont besoin de Dask, qui n'est pas installé ici. Installez-le : pip install 'cambist[cluster]'"),
    ),
    "crew.unreachable": (
        "No Dask scheduler answers at {address} ({why}). Start one there with: dask scheduler",
        "Aucun ordonnanceur Dask ne répond à {address} ({why}). Lancez-en un là-bas : dask scheduler",
    ),
    "crew.no_workers": (
        (
            "The cluster at {address} has had no workers for {patience} s. Start some: dask worker {address}. What "
            "was finished is kept: start the search again, and it goes on."
        ),
        (
            "La grappe à {address} n'a plus d'ouvriers depuis {patience} s. Lancez-en : dask worker {address}. Ce "
            "qui était fini est gardé : relancez la recherche, elle continuera."
        ),
    ),
    "crew.versions": (
        (
            "The worker {worker} of the cluster at {address} has {what} {theirs}, here it is {ours}. Install the "
            "same on all machines: with others, results would not be the same."
        ),
        (
            "L'ouvrier {worker} de la grappe à {address} a {what} {theirs}, ici c'est {ours}. Installez la même "
            "version sur toutes les machines : avec d'autres, les résultats ne seraient pas les mêmes."
        ),
    ),
    "crew.lost": (
        (
            "The connection to the cluster at {address} was lost ({why}). What was finished is kept: start the "
            "search again, and it goes on."
        ),
        (
            "La connexion à la grappe à {address} est perdue ({why}). Ce qui était fini est gardé : relancez la "
            "recherche, elle continuera."
        ),
    ),
    "crew.batch_kills": (
        (
            "Workers of the cluster at {address} end, one after the other, over the same part of the search, most "
            "often because memory runs out. What was finished is kept: give the workers more memory or fewer "
            "threads, start the search again, and it goes on."
        ),
        (
            "Les ouvriers de la grappe à {address} s'arrêtent l'un après l'autre sur la même partie de la "
            "recherche, le plus souvent faute de mémoire. Ce qui était fini est gardé : donnez-leur plus de mémoire"
            " ou moins de fils d'exécution, relancez la recherche, elle continuera."
        ),
    ),
    # -- the log of trials
    "trials.storage": (
        "The trials of a search cannot be kept in, or read from, {path}: {why}",
        "Les essais d'une recherche ne peuvent être gardés dans {path}, ou en être lus : {why}",
    ),
    "trials.foreign": (
        "no file of trials has such a name; move it elsewhere",
        "aucun fichier d'essais ne porte un tel nom ; déplacez-le ailleurs",
    ),
    # -- memory, before a search begins
    "optimise.memory.candles": ("candles {mb} MB", "bougies {mb} Mo"),
    "optimise.memory.shared": ("indicators that combinations share {mb} MB", "indicateurs partagés {mb} Mo"),
    "optimise.memory.workers": ("{workers} workers {mb} MB", "{workers} ouvriers {mb} Mo"),
    "optimise.memory.trials": ("finished trials {mb} MB", "essais finis {mb} Mo"),
    "optimise.memory.chosen": ("the chosen one's figures and report {mb} MB", "résultats et rapport du choix {mb} Mo"),
    "optimise.memory.too_much": (
        "it would take more than the {available} MB that are free ({parts}). {fits}",
        "il en faudrait plus que les {available} Mo libres ({parts}). {fits}",
    ),
    "optimise.memory.fewer_trials": (
        "What would fit: {trials} trials, tried at random.",
        "Ce qui tiendrait : {trials} essais, tirés au hasard.",
    ),
    "optimise.memory.fewer_workers": ("What would fit: {workers} workers.", "Ce qui tiendrait : {workers} ouvriers."),
    "optimise.memory.share_less": (
        "What would fit: one worker, and {mb} MB for shared indicators.",
        "Ce qui tiendrait : un ouvrier, et {mb} Mo pour les indicateurs partagés.",
    ),
    "optimise.memory.shorter": (
        "What would fit: one worker, and {percent} % of the history.",
        "Ce qui tiendrait : un ouvrier, et {percent} % de l'historique.",
    ),
    "optimise.memory.more": (
        "Close other programs, or search on a machine with more memory.",
        "Fermez d'autres programmes, ou cherchez sur une machine qui a plus de mémoire.",
    ),
}
