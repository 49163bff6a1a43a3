"""Texts: strategies and their parameters."""

TEXTS: dict[str, tuple[str, str]] = {
    "param.type": ("This parameter is of type {type}.", "Ce paramètre est de type {type}."),
    "param.choices": ("Choose one of: {choices}.", "Choisissez parmi : {choices}."),
    "param.unknown": (
        "The strategy has no such parameter. Perhaps: {known}",
        "La stratégie n'a pas ce paramètre. Peut-être : {known}",
    ),
    "line.index": (
        "Lines are read backwards from now: [-1] is the last closed candle, [{oldest}] the oldest one.",
        "Une ligne se lit à rebours : [-1] est la dernière bougie close, [{oldest}] la plus ancienne.",
    ),
    "line.shape": ("Give one value per candle ({count}).", "Donnez une valeur par bougie ({count})."),
    "line.of": (
        "`of=` replaces the price of indicators that read one column; this one reads: {inputs}",
        "`of=` remplace le prix des indicateurs qui lisent une seule colonne ; celui-ci lit : {inputs}",
    ),
    "line.timeframe": (
        "It must be a larger timeframe made of whole candles of {own}.",
        "Il faut une unité de temps plus grande, faite de bougies {own} entières.",
    ),
    "strategy.too_early": (
        "Candles are there in init() and next(), not in __init__().",
        "Les bougies sont disponibles dans init() et next(), pas dans __init__().",
    ),
    "strategy.one_size": (
        "Give one size: fraction, notional, risk or quantity.",
        "Donnez une seule taille : fraction, notional, risk ou quantity.",
    ),
    "strategy.price": ("Give a finite price above zero.", "Donnez un prix fini, supérieur à zéro."),
    "strategy.limit_or_stop": ("Give limit or stop, not both.", "Donnez limit ou stop, pas les deux."),
    "strategy.signals_type": (
        "signals() must return Signals(...).",
        "signals() doit rendre Signals(...).",
    ),
    "strategy.no_file": (
        "There is no such file, nor a strategy of that name. Known: {known}",
        "Il n'y a ni fichier ni stratégie de ce nom. Connues : {known}",
    ),
    "strategy.no_class": (
        "The file must hold a class derived from Strategy, SignalStrategy or TemplateStrategy.",
        "Le fichier doit contenir une classe dérivée de Strategy, SignalStrategy ou TemplateStrategy.",
    ),
    "strategy.which_class": (
        "The file holds several strategies; name one: {known}",
        "Le fichier contient plusieurs stratégies ; nommez-en une : {known}",
    ),
    "strategy.no_such_class": (
        "The file holds no such strategy. There are: {known}",
        "Le fichier ne contient pas cette stratégie. Il y a : {known}",
    ),
    "strategy.not_utf8": (
        "The file is not text in UTF-8 (line {line}). Save it as UTF-8.",
        "Le fichier n'est pas du texte en UTF-8 (ligne {line}). Enregistrez-le en UTF-8.",
    ),
    "strategy.unreadable": ("The file cannot be read: {why}", "Le fichier ne peut pas être lu : {why}"),
    "strategy.no_python": (
        "Python cannot read it: {message}",
        "Python ne peut pas la lire : {message}",
    ),
    "strategy.exits": (
        "It ends the program when it is loaded (line {line}): take exit() out.",
        "Elle met fin au programme quand elle est chargée (ligne {line}) : retirez exit().",
    ),
    "strategy.syntax": (
        "Line {line}, column {column}: {message}",
        "Ligne {line}, colonne {column} : {message}",
    ),
    "strategy.import": (
        "It cannot be loaded: {message} (line {line})",
        "Elle ne peut pas être chargée : {message} (ligne {line})",
    ),
    "strategy.failed": (
        "{strategy} raised {error} at the candle of {when} (line {line}).",
        "{strategy} a levé {error} à la bougie du {when} (ligne {line}).",
    ),
    "strategy.late_indicator": (
        "{line} is asked for in next() and needs {needs} candles; {kept} are kept. Declare it in init().",
        "{line} est demandé dans next() et il lui faut {needs} bougies ; {kept} sont gardées. Déclarez-le dans init().",
    ),
    "strategy.live_state": (
        (
            "{strategy} computes its own values in init(), which runs anew at each candle live, and next() changes "
            "self.{name}, which init() makes of arrays, lines or objects. Keep what must last in numbers, text, "
            "lists or dicts, or leave the computing to the indicators."
        ),
        (
            "{strategy} calcule ses propres valeurs dans init(), qui en réel est relancé à chaque bougie, et next() "
            "change self.{name}, que init() fait de tableaux, de lignes ou d'objets. Gardez ce qui doit durer dans des "
            "nombres, du texte, des listes ou des dictionnaires, ou laissez le calcul aux indicateurs."
        ),
    ),
    "strategy.live_object": (
        (
            "The strategy computes its own values in init() and keeps a {type} that cannot be followed from one "
            "candle to the next. Keep it in the module instead of in self."
        ),
        (
            "La stratégie calcule ses propres valeurs dans init() et garde un objet {type} qui ne peut être suivi "
            "d'une bougie à l'autre. Gardez-le dans le module plutôt que dans self."
        ),
    ),
    "strategy.too_long": (
        "{strategy} took longer than {limit_s} s to decide.",
        "{strategy} a mis plus de {limit_s} s à décider.",
    ),
    "strategy.stuck": (
        "{strategy} has not come back from an earlier candle.",
        "{strategy} n'est pas revenue d'une bougie précédente.",
    ),
    "strategies.help": (
        "List the sample strategies, or those in FILEs, with their parameters and bounds.",
        "Lister les stratégies d'exemple, ou celles des FICHIERS, avec paramètres et bornes.",
    ),
    "strategies.option.json": ("Print JSON.", "Afficher du JSON."),
    "strategies.name": ("Name", "Nom"),
    "strategies.shape": ("Shape", "Forme"),
    "strategies.about": ("What it does", "Ce qu'elle fait"),
    "strategies.params": ("Parameters", "Paramètres"),
    "strategies.next": (
        "Run one: cambist backtest NAME --symbol BTC/USDT --timeframe 1h --set PARAMETER=VALUE",
        "En lancer une : cambist backtest NOM --symbol BTC/USDT --timeframe 1h --set PARAMÈTRE=VALEUR",
    ),
    "indicators.help": (
        "List all indicators, or show the card of NAME.",
        "Lister tous les indicateurs, ou montrer la fiche de NAME.",
    ),
    "indicators.none": (
        "There is no indicator {name}. Perhaps: {known}. `cambist indicators` lists them all.",
        "Il n'y a pas d'indicateur {name}. Peut-être : {known}. `cambist indicators` les liste tous.",
    ),
    "indicators.name": ("Name", "Nom"),
    "indicators.title": ("What it is", "Ce que c'est"),
    "indicators.inputs": ("Reads", "Lit"),
    "indicators.params": ("Parameters", "Paramètres"),
    "indicators.outputs": ("Gives", "Donne"),
    "indicators.unit": ("Unit", "Unité"),
    "indicators.warmup": ("Warm-up", "Échauffement"),
}
