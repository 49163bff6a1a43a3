"""What the API says to whoever asks it wrongly."""

TEXTS: dict[str, tuple[str, str]] = {
    "api.cursor": (
        "Give the text of `next` of the page before, unchanged.",
        "Donnez le texte de `next` de la page précédente, inchangé.",
    ),
    "api.no_route": ("There is nothing at this address.", "Il n'y a rien à cette adresse."),
    "api.no_method": ("{method} is not possible here.", "{method} n'est pas possible ici."),
    "api.too_large": (
        "The request is larger than {most} bytes; send less at once.",
        "La requête dépasse {most} octets ; envoyez-en moins à la fois.",
    ),
    "api.too_many": (
        "More than {most} requests a minute: try again in {seconds} s.",
        "Plus de {most} requêtes par minute : réessayez dans {seconds} s.",
    ),
    "api.sign_in": (
        "Sign in first: this needs an access token or an API token.",
        "Connectez-vous d'abord : il faut un jeton d'accès ou un jeton d'API.",
    ),
    "api.needs_scope": (
        "This needs the right '{scope}', which {who} does not have.",
        "Il faut le droit « {scope} », que {who} n'a pas.",
    ),
    "api.internal": (
        "Something went wrong inside Cambist. It is in the log under {request_id}.",
        "Une erreur interne s'est produite. Elle est dans le journal sous {request_id}.",
    ),
    "api.key_reused": (
        "Use another Idempotency-Key: this one came with another request.",
        "Utilisez une autre Idempotency-Key : celle-ci accompagnait une autre requête.",
    ),
    "api.key_busy": (
        "The first request with this Idempotency-Key is still being dealt with; try again in a moment.",
        "La première requête avec cette Idempotency-Key est encore en cours ; réessayez dans un instant.",
    ),
    "api.key_form": (
        "Use 1 to 128 letters, digits, '-', '_' or '.'.",
        "Utilisez 1 à 128 lettres, chiffres, « - », « _ » ou « . ».",
    ),
    "api.body.json": ("Send valid JSON.", "Envoyez du JSON valide."),
    "api.body.type": (
        "Send JSON, with the header Content-Type: application/json.",
        "Envoyez du JSON, avec l'en-tête Content-Type: application/json.",
    ),
    "api.body.missing": ("This field is required.", "Ce champ est obligatoire."),
    "api.body.unknown": ("There is no such field here; leave it out.", "Ce champ n'existe pas ici ; retirez-le."),
    "api.body.exact": (
        'Give a finite decimal number as text, such as "0.015".',
        'Donnez un nombre décimal fini sous forme de texte, par exemple "0.015".',
    ),
    "api.body.choice": ("Choose one of {known}.", "Choisissez parmi {known}."),
    "api.body.integer": ("Give a whole number.", "Donnez un nombre entier."),
    "api.body.number": ("Give a number.", "Donnez un nombre."),
    "api.body.text": ("Give text.", "Donnez du texte."),
    "api.body.boolean": ("Give true or false.", "Donnez true ou false."),
    "api.body.list": ("Give a list.", "Donnez une liste."),
    "api.body.object": ("Give an object.", "Donnez un objet."),
    "api.body.at_least": ("Give at least {bound}.", "Donnez au moins {bound}."),
    "api.body.at_most": ("Give at most {bound}.", "Donnez au plus {bound}."),
    "api.body.above": ("Give more than {bound}.", "Donnez plus que {bound}."),
    "api.body.below": ("Give less than {bound}.", "Donnez moins que {bound}."),
    "api.body.longer": ("At least {bound} characters or items.", "Au moins {bound} caractères ou éléments."),
    "api.body.shorter": ("At most {bound} characters or items.", "Au plus {bound} caractères ou éléments."),
    "api.body.pattern": ("This form is needed: {pattern}.", "La forme attendue est : {pattern}."),
    "api.body.other": ("{why}", "{why}"),
    "api.title.bad_input": ("A value is wrong", "Une valeur est incorrecte"),
    "api.title.not_found": ("Not found", "Introuvable"),
    "api.title.not_signed_in": ("Not signed in", "Non connecté"),
    "api.title.not_allowed": ("Not allowed", "Non autorisé"),
    "api.title.taken": ("A clash with what is there", "Conflit avec l'existant"),
    "api.title.too_many": ("Too much at once", "Limite atteinte"),
    "api.title.too_large": ("Too large", "Trop volumineux"),
    "api.title.no_method": ("Method not allowed", "Méthode non autorisée"),
    "api.title.refused": ("Refused", "Refusé"),
    "api.title.unavailable": ("Not available now", "Indisponible pour le moment"),
    "api.title.internal": ("Internal error", "Erreur interne"),
    "api.key_shown": (
        "This was done already; its answer held a secret that is shown once, or was given before an upgrade.",
        "C'est déjà fait ; la réponse contenait un secret montré une seule fois, ou date d'avant une mise à jour.",
    ),
    "api.stale": (
        "The heartbeat has told of no candle for {seconds} s.",
        "Le heartbeat n'a annoncé aucune bougie depuis {seconds} s.",
    ),
    "settings.network": (
        "Give networks such as 10.0.0.0/8, separated by commas.",
        "Donnez des réseaux tels que 10.0.0.0/8, séparés par des virgules.",
    ),
}
