"""Of orders, protections, risk and reconciliation."""

TEXTS: dict[str, tuple[str, str]] = {
    # -- refusals, breaker, ledger
    "refused.halted": ("the account is halted", "le compte est à l'arrêt"),
    "refused.reduce_only": (
        "the account may only reduce its positions",
        "le compte ne peut que réduire ses positions",
    ),
    "refused.breaker": (
        "the equity breaker allows no entries until it is re-armed",
        "le coupe-circuit du capital interdit les entrées jusqu'à son réarmement",
    ),
    "refused.frozen": (
        "book and venue differ on this instrument: it is frozen until somebody decides",
        "le livre et la bourse diffèrent sur cet instrument : il est gelé jusqu'à décision",
    ),
    "refused.unknown_order": (
        "it is not known yet whether the venue has an earlier order on this instrument",
        "on ne sait pas encore si la bourse détient un ordre précédent sur cet instrument",
    ),
    "refused.venue_not_ready": ("the venue is not ready", "la bourse n'est pas prête"),
    "refused.clock_skew": (
        "this machine's clock is too far from the venue's",
        "l'horloge de cette machine est trop loin de celle de la bourse",
    ),
    "refused.stale_price": ("the last known price is too old", "le dernier prix connu est trop ancien"),
    "refused.off_lot": (
        "the quantity is not a multiple of the lot step",
        "la quantité n'est pas un multiple du pas de quantité",
    ),
    "refused.off_tick": (
        "the price is not a multiple of the tick size",
        "le prix n'est pas un multiple du pas de cotation",
    ),
    "refused.price_band": (
        "the price is too far from the last trade",
        "le prix est trop loin de la dernière transaction",
    ),
    "refused.order_notional": (
        "the order is worth more than one order may be",
        "l'ordre vaut plus que ce qui est permis par ordre",
    ),
    "refused.instrument_notional": (
        "more would be held and ordered of this instrument than is allowed",
        "la valeur détenue et commandée sur cet instrument dépasserait ce qui est permis",
    ),
    "refused.bot_notional": (
        "the bot would hold and have ordered more than it may",
        "la valeur détenue et commandée par le bot dépasserait ce qui est permis",
    ),
    "refused.account_notional": (
        "the account would hold and have ordered more than it may",
        "la valeur détenue et commandée par le compte dépasserait ce qui est permis",
    ),
    "refused.user_notional": (
        "the user's accounts would hold and have ordered more than they may",
        "la valeur détenue et commandée par les comptes de l'utilisateur dépasserait ce qui est permis",
    ),
    "refused.open_positions": ("too many positions are open", "trop de positions sont ouvertes"),
    "refused.order_rate": (
        "too many orders were sent in the last moments",
        "trop d'ordres ont été envoyés ces derniers instants",
    ),
    "refused.daily_loss": (
        "today's loss has reached its limit",
        "la perte du jour a atteint sa limite",
    ),
    "refused.opposed": (
        "another bot, or an order by hand, is on the other side of this perpetual: the venue would net the two",
        "un autre robot, ou un ordre à la main, est de l'autre côté de ce perpétuel : la bourse compenserait les deux",
    ),
    "refused.no_holding": (
        "the account does not hold that much free",
        "le compte ne détient pas autant de disponible",
    ),
    "trading.hand_refused": (
        "{symbol}: the venue refused order {order}: {why}",
        "{symbol} : la bourse a refusé l'ordre {order} : {why}",
    ),
    "trading.hand_ended": (
        "{symbol}: order {order} ended at the venue before it was filled whole. {why}",
        "{symbol} : l'ordre {order} a pris fin à la bourse avant d'être exécuté en entier. {why}",
    ),
    "trading.active": ("active", "actif"),
    "trading.reduce_only": ("reduce only", "réduction seulement"),
    "trading.halted": ("halted", "à l'arrêt"),
    "breaker.clear": ("clear", "armé"),
    "breaker.halve": ("new entries halved", "entrées réduites de moitié"),
    "breaker.no_entries": ("no entries", "aucune entrée"),
    "breaker.reduce_only": ("reduce only", "réduction seulement"),
    "breaker.flatten": ("flatten", "tout fermer"),
    "breaker.rising": (
        "Each stage needs a larger fall than the one before it: more than {least}.",
        "Chaque palier demande une baisse plus forte que le précédent : plus de {least}.",
    ),
    "limits.fraction": (
        "It must be a fraction above 0 and at most 1: 0.1 is 10 %.",
        "Il faut une fraction supérieure à 0 et d'au plus 1 : 0.1 vaut 10 %.",
    ),
    "limits.positive": ("It must be a number, 0 or more.", "Il faut un nombre, 0 ou plus."),
    "limits.orders": ("It must be at most {most}.", "Il faut au plus {most}."),
    # -- orders and protections
    "trading.frozen": (
        "{symbol} is frozen: book and venue differ ({why}). No entries until somebody has looked.",
        "{symbol} est gelé : le livre et la bourse diffèrent ({why}). Aucune entrée avant qu'on ait regardé.",
    ),
    "trading.breaker": (
        "The equity breaker has reached {stage}. It is re-armed by hand.",
        "Le coupe-circuit du capital est à {stage}. Il se réarme à la main.",
    ),
    "trading.entry_refused": (
        "{bot}: the venue refused the entry: {why}",
        "{bot} : la bourse a refusé l'entrée : {why}",
    ),
    "trading.exit_refused": (
        "{bot}: the venue refused the order that closes the position: {why}. It is tried again.",
        "{bot} : la bourse a refusé l'ordre qui ferme la position : {why}. On réessaie.",
    ),
    "trading.guard_refused": (
        "{bot}: the venue refused the stop: {why}. It is tried again; Cambist watches the price meanwhile.",
        "{bot} : la bourse a refusé le stop : {why}. On réessaie ; Cambist surveille le prix entre-temps.",
    ),
    "trading.unprotected": (
        "{bot}: no stop could be placed at the venue for {seconds} s: the position is closed at market.",
        "{bot} : aucun stop n'a pu être posé à la bourse pendant {seconds} s : la position est fermée au marché.",
    ),
    "trading.unknown": (
        "No answer came to order {order} on {symbol}: the venue is asked; no entries there meanwhile.",
        "Aucune réponse à l'ordre {order} sur {symbol} : on interroge la bourse ; aucune entrée d'ici là.",
    ),
    "trading.unknown_long": (
        "It is still not known whether the venue has order {order}. Look at the venue yourself.",
        "On ne sait toujours pas si la bourse détient l'ordre {order}. Allez voir sur la bourse.",
    ),
    "trading.too_small": (
        "{bot}: what is left, {quantity}, is less than the venue takes: it can be neither closed nor guarded.",
        "{bot} : le reste, {quantity}, est sous le minimum de la bourse : ni fermeture ni protection possible.",
    ),
    "trading.paused": (
        "{bot} is paused: its strategy failed: {why}. What it holds stays protected.",
        "{bot} est en pause : sa stratégie a échoué : {why}. Ce qu'il détient reste protégé.",
    ),
    "trading.journal_differs": (
        "The journal was written by another version: from entry {seq} on it would have acted otherwise.",
        "Le journal vient d'une autre version : dès l'entrée {seq}, elle aurait agi autrement.",
    ),
    "trading.journal_failed": (
        "The journal cannot be written: {why}. Nothing leaves any more.",
        "Le journal ne peut être écrit : {why}. Plus rien ne part.",
    ),
    "trading.account_failed": (
        "This account is traded no more: something was not foreseen ({why}). Its orders stay at the venue.",
        "Ce compte n'est plus traité : un cas imprévu ({why}). Ses ordres restent à la bourse.",
    ),
    "trading.account_added": (
        "This account is being traded already.",
        "Ce compte est déjà traité.",
    ),
    "trading.audit_failed": (
        "Screens may be behind: the audit stream failed ({why}). Trading goes on.",
        "Les écrans peuvent être en retard : le flux d'audit a échoué ({why}). Le trading continue.",
    ),
    "trading.stream_lost": (
        "The stream of {venue} has ended ({why}); it is opened again. No entries meanwhile.",
        "Le flux de {venue} s'est arrêté ({why}) ; on le rouvre. Aucune entrée d'ici là.",
    ),
    "trading.venue_silent": (
        "{venue} has not answered for a minute. Stops that rest there stand; nothing else can be done there.",
        "{venue} ne répond plus depuis une minute. Les stops posés y restent ; rien d'autre n'y est possible.",
    ),
    "trading.no_such_symbol": (
        "No bot of this account trades {symbol}.",
        "Aucun bot de ce compte ne traite {symbol}.",
    ),
    "trading.no_such_foreign": (
        "The venue shows no order {order} on {symbol} that is not ours.",
        "La bourse ne montre aucun ordre {order} sur {symbol} qui ne soit pas à nous.",
    ),
    "trading.moving": (
        "Orders of this account are moving, so what the venue holds proves nothing: try again in a moment.",
        "Des ordres de ce compte sont en cours : ce que détient la bourse ne prouve rien. Réessayez dans un instant.",
    ),
    "settings.object": (
        "It must be an object (names and values).",
        "Il faut un objet (des noms et des valeurs).",
    ),
    "settings.unknown": ("There is no such setting. Known are: {known}.", "Réglage inconnu. On connaît : {known}."),
    "settings.number": (
        'It must be a number, written as text ("0.05") or as an integer, or null for none.',
        'Il faut un nombre, en texte ("0.05") ou entier, ou null pour aucun.',
    ),
    "settings.integer": ("It must be an integer, or null for none.", "Il faut un entier, ou null pour aucun."),
}
