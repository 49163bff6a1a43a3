"""What the stream says when it closes a connection, and what is said of the schema of the API."""

TEXTS: dict[str, tuple[str, str]] = {
    "stream.too_slow": (
        "Too much waits for this connection: connect again, resume, and read faster.",
        "Trop de messages attendent sur cette connexion : reconnectez-vous, reprenez, et lisez plus vite.",
    ),
    "stream.no_hello": (
        'Begin with {{"type": "hello", "token": "..."}}, within 10 seconds.',
        'Commencez par {{"type": "hello", "token": "..."}}, dans les 10 secondes.',
    ),
    "stream.signed_out": (
        "The token or ticket is not valid, or its time is over: sign in again.",
        "Le jeton ou le ticket n'est pas valable, ou son temps est écoulé : reconnectez-vous.",
    ),
    "stream.needs_read": (
        "This token may not read; use one with the right 'read'.",
        "Ce jeton ne peut pas lire ; utilisez-en un qui a le droit « read ».",
    ),
    "stream.another": (
        "The new token is somebody else's: open another connection.",
        "Le nouveau jeton est celui de quelqu'un d'autre : ouvrez une autre connexion.",
    ),
    "stream.too_many": (
        "Too many connections are open: close one.",
        "Trop de connexions sont ouvertes : fermez-en une.",
    ),
    "stream.too_fast": (
        "More than 20 messages a second: say less.",
        "Plus de 20 messages par seconde : envoyez-en moins.",
    ),
    "stream.too_long": ("The message is too long.", "Le message est trop long."),
    "stream.no_text": ("Send text, not bytes.", "Envoyez du texte, pas des octets."),
    "cli.openapi": ("write the schema of the API", "écrire le schéma de l'API"),
    "openapi.help": (
        (
            "Write the schema of the API (OpenAPI 3.1), from which clients are generated.\n\n"
            "Needs neither a server nor a database.\n\n"
            "\b\nExamples:\n  cambist openapi > openapi.json\n  cambist openapi --out openapi.json"
        ),
        (
            "Écrire le schéma de l'API (OpenAPI 3.1), à partir duquel on génère des clients.\n\n"
            "Ne demande ni serveur ni base de données.\n\n"
            "\b\nExemples :\n  cambist openapi > openapi.json\n  cambist openapi --out openapi.json"
        ),
    ),
    "openapi.option.out": ("the file to write it to (default: the screen)", "le fichier où l'écrire (sinon l'écran)"),
    "openapi.no_file": ("Name a file that can be written: {why}.", "Nommez un fichier où l'on peut écrire : {why}."),
    "openapi.written": ("{count} addresses in {file}", "{count} adresses dans {file}"),
    "stream.unavailable": (
        "Who you are cannot be checked right now; try again soon.",
        "Votre identité ne peut être vérifiée pour l'instant ; réessayez bientôt.",
    ),
}
