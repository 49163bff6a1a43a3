"""Of webhooks: what may be wrong with an alert from elsewhere, and with the place that takes it."""

TEXTS: dict[str, tuple[str, str]] = {
    # -- what came
    "webhook.not_text": (
        "The body is no text: byte {at} is not UTF-8. Send JSON, key=value or plain words.",
        "Le corps n'est pas du texte : l'octet {at} n'est pas de l'UTF-8. Envoyez du JSON, clé=valeur ou des mots.",
    ),
    "webhook.empty": (
        "The body is empty. Write the alert's message, as the webhook's template shows it.",
        "Le corps est vide. Écrivez le message de l'alerte, comme le montre le modèle du webhook.",
    ),
    "webhook.nested": (
        "The body nests too deep. Write its fields side by side.",
        "Le corps est trop imbriqué. Écrivez ses champs côte à côte.",
    ),
    "webhook.placeholder": (
        "It was not replaced. Send it from an alert that knows it (strategy.* only from a strategy), or write a value.",
        "Il n'a pas été remplacé. Envoyez-le d'une alerte qui le connaît (strategy.* : une stratégie), ou une valeur.",
    ),
    "webhook.json": (
        "The JSON breaks off at line {line}, column {column}: {why}. Put names and texts in double quotes.",
        "Le JSON se rompt ligne {line}, colonne {column} : {why}. Mettez noms et textes entre guillemets doubles.",
    ),
    "webhook.json_comment": (
        "JSON knows no comments: remove the one at line {line}, column {column}.",
        "Le JSON ne connaît pas les commentaires : enlevez celui de la ligne {line}, colonne {column}.",
    ),
    "webhook.json_object": (
        'Write one object: {{"action": "buy", "symbol": "BTCUSDT"}}.',
        'Écrivez un objet : {{"action": "buy", "symbol": "BTCUSDT"}}.',
    ),
    "webhook.twice": ("It is there twice. Say it once.", "Il y figure deux fois. Dites-le une fois."),
    "webhook.differs": (
        "{other} says {said!r}. Let them say the same, or leave one out.",
        "{other} dit {said!r}. Faites-leur dire la même chose, ou enlevez-en un.",
    ),
    "webhook.no_name": (
        "A value has no name before its =. Write name=value.",
        "Une valeur n'a pas de nom avant son =. Écrivez nom=valeur.",
    ),
    "webhook.word": (
        "This word says nothing here. Write e.g. BUY BTCUSDT 10%, or name=value.",
        "Ce mot ne dit rien ici. Écrivez p. ex. BUY BTCUSDT 10%, ou nom=valeur.",
    ),
    "webhook.number": ("Write a number above 0, such as 0.5.", "Écrivez un nombre supérieur à 0, comme 0.5."),
    "webhook.percent": (
        "Write a percentage above 0 and at most {most}.",
        "Écrivez un pourcentage supérieur à 0 et d'au plus {most}.",
    ),
    "webhook.no_symbol": (
        "Name the market in symbol, one of: {known}.",
        "Nommez le marché dans symbol, l'un de : {known}.",
    ),
    "webhook.symbol": (
        "This webhook does not trade it. It trades: {known}.",
        "Ce webhook ne le négocie pas. Il négocie : {known}.",
    ),
    "webhook.no_action": (
        "Say what to do in action: buy, sell, short, close or cancel.",
        "Dites quoi faire dans action : buy, sell, short, close ou cancel.",
    ),
    "webhook.action": (
        "Write one of: buy, sell, long, short, close, exit, flat, cancel.",
        "Écrivez l'un de : buy, sell, long, short, close, exit, flat, cancel.",
    ),
    "webhook.open_what": (
        "Say which way in side: buy or short.",
        "Dites dans quel sens dans side : buy ou short.",
    ),
    "webhook.spot_short": (
        "A spot market cannot be sold short. Take its perpetual, or send sell to close what is held.",
        "Un marché au comptant ne se vend pas à découvert. Prenez son perpétuel, ou envoyez sell pour fermer.",
    ),
    "webhook.position": ("Write long, short or flat.", "Écrivez long, short ou flat."),
    "webhook.same_position": (
        "It was so before, and no action says what changes. Add action.",
        "C'était déjà le cas, et aucune action ne dit ce qui change. Ajoutez action.",
    ),
    "webhook.part": (
        "To {action} and hold this afterwards closes a part: Cambist closes all or nothing. Send close for all.",
        "{action} puis détenir cela ne ferme qu'une partie : Cambist ferme tout. Envoyez close pour cela.",
    ),
    "webhook.part_exit": (
        "Only a whole position is closed. Leave the size out.",
        "On ne ferme qu'une position entière. Enlevez la taille.",
    ),
    "webhook.guard": (
        "This protection is not known. Write stop_loss, take_profit (a price, or 2%) or trailing_stop (2%).",
        "Cette protection est inconnue. Écrivez stop_loss, take_profit (un prix, ou 2%) ou trailing_stop (2%).",
    ),
    "webhook.no_price": (
        "This is a price: add price (where the market stands), or write a percentage such as 2%.",
        "C'est un prix : ajoutez price (le cours du marché), ou écrivez un pourcentage comme 2%.",
    ),
    "webhook.guard_side": (
        "It does not fit a {side} at {price}. Check the level, or write a percentage such as 2%.",
        "Cela ne va pas avec un {side} à {price}. Vérifiez le niveau, ou écrivez un pourcentage comme 2%.",
    ),
    "webhook.trail": (
        "A trailing stop is a percentage: write 2%.",
        "Un stop suiveur est un pourcentage : écrivez 2%.",
    ),
    "webhook.order_type": ("Write one of: {known}.", "Écrivez l'un de : {known}."),
    "webhook.market_limit": (
        "The order is a market order. Leave the limit out, or write type limit.",
        "L'ordre est au marché. Enlevez la limite, ou écrivez le type limit.",
    ),
    "webhook.no_limit": ("A limit order needs its price.", "Un ordre à cours limité demande son prix."),
    "webhook.unit": ("Write the size in {base}, {quote} or %.", "Écrivez la taille en {base}, {quote} ou %."),
    "webhook.reversal": (
        "It closes the old position too, so it is not the new one's size. Add position_size, or leave the size out.",
        "Elle ferme aussi l'ancienne position : ce n'est pas la taille de la nouvelle. Ajoutez position_size ou rien.",
    ),
    "webhook.time": (
        "Write a moment as 2026-01-15T14:30:00Z, or in seconds or milliseconds since 1970.",
        "Écrivez un instant comme 2026-01-15T14:30:00Z, ou en secondes ou millisecondes depuis 1970.",
    ),
    # -- how it was received
    "webhook.unknown": (
        "There is no such webhook, or it is not for you.",
        "Il n'y a pas de tel webhook, ou il n'est pas pour vous.",
    ),
    "webhook.wrong_secret": (
        "The secret is not this webhook's. Paste its template anew, or make a new secret.",
        "Le secret n'est pas celui de ce webhook. Recollez son modèle, ou faites un nouveau secret.",
    ),
    "webhook.no_secret": (
        "No secret came with it. Put it in the field secret.",
        "Aucun secret n'est venu avec. Mettez-le dans le champ secret.",
    ),
    "webhook.wrong_address": (
        "It came from {address}, which this webhook does not allow.",
        "Il vient de {address}, que ce webhook n'autorise pas.",
    ),
    "webhook.no_signature": (
        "The headers X-Cambist-Timestamp, -Nonce and -Signature are needed.",
        "Il faut les en-têtes X-Cambist-Timestamp, -Nonce et -Signature.",
    ),
    "webhook.wrong_signature": (
        "The signature is not that of timestamp.nonce.body under this webhook's secret.",
        "La signature n'est pas celle de timestamp.nonce.body sous le secret de ce webhook.",
    ),
    "webhook.stale": (
        "{seconds} s lie between then and now; {window} s may. Send {{{{timenow}}}}, not {{{{time}}}}; check clocks.",
        "{seconds} s séparent cet instant du présent, {window} s au plus. Envoyez {{{{timenow}}}} ; voyez l'horloge.",
    ),
    "webhook.repeated": (
        "This call came before, and was answered then.",
        "Cet appel est déjà venu, et a reçu sa réponse alors.",
    ),
    "webhook.owner": (
        "Its owner may not trade any more.",
        "Son propriétaire n'a plus le droit de négocier.",
    ),
    "webhook.inactive": (
        "This webhook is switched off. Switch it on to take alerts.",
        "Ce webhook est éteint. Rallumez-le pour recevoir des alertes.",
    ),
    "webhook.content_type": (
        "Send application/json, text/plain or a form.",
        "Envoyez application/json, text/plain ou un formulaire.",
    ),
    "webhook.too_large": ("Send at most {most} bytes.", "Envoyez au plus {most} octets."),
    "webhook.too_many": (
        "Too many calls: {most} a minute are allowed. Try again in {seconds} s.",
        "Trop d'appels : {most} par minute sont admis. Réessayez dans {seconds} s.",
    ),
    # -- what a person sets up
    "webhook.not_found": ("There is no webhook {id!r}.", "Il n'y a pas de webhook {id!r}."),
    "webhook.no_call": ("There is no call {id}.", "Il n'y a pas d'appel {id}."),
    "webhook.name_taken": (
        "You have a webhook {name!r} already. Choose another name.",
        "Vous avez déjà un webhook {name!r}. Choisissez un autre nom.",
    ),
    "webhook.too_many_kept": (
        "{most} webhooks are all that one person may have. Delete one that is not needed.",
        "Une personne peut avoir {most} webhooks au plus. Supprimez-en un qui ne sert plus.",
    ),
    "webhook.too_many_bots": (
        "You may have {most} bots, and each market of a webhook takes one. Ask an admin for more.",
        "Vous pouvez avoir {most} robots, et chaque marché d'un webhook en prend un. Demandez-en plus à un admin.",
    ),
    "webhook.unit_of_size": ("Use one of: {known}.", "Utilisez l'une de : {known}."),
    "webhook.name": (
        "Take 1 to 16 small letters, digits, - or _, a letter first.",
        "Prenez 1 à 16 minuscules, chiffres, - ou _, une lettre d'abord.",
    ),
    "webhook.no_symbols": (
        "Name at least one symbol, and each once.",
        "Nommez au moins un symbole, et chacun une fois.",
    ),
    "webhook.address": (
        "Write an address or a network, such as 52.89.214.238 or 10.0.0.0/8.",
        "Écrivez une adresse ou un réseau, comme 52.89.214.238 ou 10.0.0.0/8.",
    ),
    "webhook.fraction": (
        "Write a fraction above 0 and at most 1: 0.02 is 2 %.",
        "Écrivez une fraction supérieure à 0 et d'au plus 1 : 0.02 vaut 2 %.",
    ),
}
