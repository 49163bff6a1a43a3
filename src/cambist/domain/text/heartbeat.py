"""Of feeds, order books and the heartbeat."""

TEXTS: dict[str, tuple[str, str]] = {
    "feed.not_json": (
        "{venue} sent what is not JSON: {start}",
        "{venue} a envoyé ce qui n'est pas du JSON : {start}",
    ),
    "feed.not_object": (
        "{venue} sent a message that is not an object: {start}",
        "{venue} a envoyé un message qui n'est pas un objet : {start}",
    ),
    "feed.not_rows": (
        "{venue} sent {kind} that are not rows: {start}",
        "{venue} a envoyé des {kind} qui ne sont pas des lignes : {start}",
    ),
    "feed.field": (
        "{venue} sent a {kind} whose field {field!r} is {value}, expected {wanted}. It begins: {start}",
        "{venue} a envoyé un {kind} dont le champ {field!r} vaut {value}, attendu {wanted}. Il commence par : {start}",
    ),
    "feed.lost": ("{venue}: the stream was lost: {why}", "{venue} : le flux est perdu : {why}"),
    "feed.closed": ("closed with code {code}", "fermé avec le code {code}"),
    "feed.silent": ("nothing was heard for {seconds} s", "rien n'a été entendu pendant {seconds} s"),
    "feed.subscription": (
        "{venue} refused a subscription: {detail}",
        "{venue} a refusé un abonnement : {detail}",
    ),
    "feed.too_slow": (
        "{venue}: the reader fell behind, {count} messages were dropped",
        "{venue} : le lecteur a pris du retard, {count} messages ont été abandonnés",
    ),
    "feed.symbols": ("Name at least one symbol.", "Nommez au moins un symbole."),
    "heartbeat.bad_signal": (
        "A heartbeat signal cannot be read ({why}): {start}",
        "Un signal du heartbeat est illisible ({why}) : {start}",
    ),
    "heartbeat.unlike": (
        "{symbol}: the candle of {ts} built from trades is not the venue's; the venue's is used.",
        "{symbol} : la bougie de {ts} formée des transactions n'est pas celle de la bourse ; celle-ci est utilisée.",
    ),
    "heartbeat.no_candles": (
        "{symbol}: {venue} has no candles from {since} to {until}; going on without them.",
        "{symbol} : {venue} n'a pas de bougies de {since} à {until} ; on continue sans elles.",
    ),
}
