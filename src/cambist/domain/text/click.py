"""What click says by itself, in its own words: usage errors, and the frame of its help."""

TEXTS: dict[str, tuple[str, str]] = {
    # -- the frame of help
    "click.usage": ("Usage:", "Utilisation\u00a0:"),
    "click.options": ("Options", "Options\u00a0"),
    "click.commands": ("Commands", "Commandes\u00a0"),
    "click.help": ("Show this message and exit.", "Montrer ceci et terminer."),
    "click.default": ("default: {default}", "par défaut\u00a0: {default}"),
    "click.required": ("required", "obligatoire"),
    "click.integer": ("integer", "entier"),
    "click.integer_range": ("integer range", "entier"),
    "click.float": ("float", "nombre"),
    "click.float_range": ("float range", "nombre"),
    "click.text": ("text", "texte"),
    "click.path": ("path", "chemin"),
    # -- what is wrong
    "click.error": ("Error: {message}", "Erreur : {message}"),
    "click.try": ("Try '{command} {option}' for help.", "Essayez '{command} {option}' pour de l'aide."),
    "click.missing_command": ("Missing command.", "Il manque la commande."),
    "click.missing_argument": ("Missing argument", "Il manque l'argument"),
    "click.missing_option": ("Missing option", "Il manque l'option"),
    "click.choose": ("Choose from:\n\t{choices}", "Choisissez parmi :\n\t{choices}"),
    "click.no_command": ("No such command {name!r}.", "Il n'y a pas de commande {name!r}."),
    "click.no_option": ("No such option {name!r}.", "Il n'y a pas d'option {name!r}."),
    "click.did_you_mean": ("Did you mean {possibility}?", "Vouliez-vous dire {possibility} ?"),
    "click.did_you_mean_one": ("(Did you mean one of: {possibilities}?)", "(Vouliez-vous dire : {possibilities} ?)"),
    "click.extra_argument": ("Got unexpected extra argument ({args})", "Il y a un argument de trop ({args})"),
    "click.extra_arguments": ("Got unexpected extra arguments ({args})", "Il y a des arguments de trop ({args})"),
    "click.needs_value": ("Option {name!r} requires an argument.", "L'option {name!r} demande une valeur."),
    "click.takes_none": ("Option {name!r} does not take a value.", "L'option {name!r} ne prend pas de valeur."),
    "click.invalid": ("Invalid value: {message}", "Valeur incorrecte : {message}"),
    "click.invalid_for": (
        "Invalid value for {param_hint}: {message}",
        "Valeur incorrecte pour {param_hint} : {message}",
    ),
    "click.not_a_number": ("{value!r} is not a valid {number_type}.", "{value!r} n'est pas valable ({number_type})."),
    "click.not_in_range": ("{value} is not in the range {range}.", "{value} n'est pas dans l'intervalle {range}."),
    "click.not_the_choice": ("{value!r} is not {choice}.", "{value!r} n'est pas {choice}."),
    "click.not_a_choice": ("{value!r} is not one of {choices}.", "{value!r} n'est pas parmi {choices}."),
    # -- asking
    "click.repeat": ("Repeat for confirmation", "Répétez pour confirmer"),
    "click.differ": ("Error: The two entered values do not match.", "Erreur : les deux saisies diffèrent."),
}
