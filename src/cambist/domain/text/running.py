"""Of the trading floor: accounts, bots, what people ask of them, and what is not well."""

TEXTS: dict[str, tuple[str, str]] = {
    # -- what is not well
    "running.standby": (
        "Another engine runs these accounts; this one waits, and takes over if that one ends.",
        "Un autre moteur tient ces comptes ; celui-ci attend et prend le relais si l'autre s'arrête.",
    ),
    "running.down": (
        "The engine stopped: {why} It starts anew from the journal.",
        "Le moteur s'est arrêté : {why} Il repart du journal.",
    ),
    "running.lease_lost": (
        "The right to write the accounts was lost.",
        "Le droit d'écrire les comptes a été perdu.",
    ),
    "running.bus_closed": ("The bus was closed.", "Le bus a été fermé."),
    "running.left": (
        "{account} has failed and is not traded; it is opened anew soon.",
        "{account} a échoué et n'est pas joué ; il est rouvert sous peu.",
    ),
    "running.not_ready": (
        "{account}: the venue has not been heard yet, so nothing is bought.",
        "{account} : la bourse n'a pas encore répondu, rien n'est donc acheté.",
    ),
    "running.no_account": (
        "The account {account} cannot be opened: {why}",
        "Le compte {account} ne peut être ouvert : {why}",
    ),
    "running.no_bot": (
        "{bot} of the account {account} cannot run: {why} Each start tries again: mend that, or delete {bot}.",
        "{bot} du compte {account} ne peut tourner : {why} Chaque démarrage réessaie : corrigez, ou supprimez {bot}.",
    ),
    "running.missed": (
        "{bot}: candles that were missed cannot be fetched ({why}); it decides again when they can.",
        "{bot} : des bougies manquées ne peuvent être obtenues ({why}) ; il décidera quand elles le seront.",
    ),
    "running.heartbeat_silent": (
        "The heartbeat {source} is silent: bots decide on nothing. Stops stay at the venue.",
        "Le heartbeat {source} se tait : les robots ne décident de rien. Les stops restent à la bourse.",
    ),
    # -- what a person gave
    "running.bad_id": (
        "Take 1 to 32 small letters, digits, - or _, a letter first, and not free, market, fees or outside.",
        "Prenez 1 à 32 minuscules, chiffres, - ou _, une lettre d'abord, sauf free, market, fees ou outside.",
    ),
    "running.amount": ("It must be a number above 0.", "Il faut un nombre supérieur à 0."),
    "running.symbol": (
        "Write it as BTC/{quote}: the account counts in {quote}.",
        "Écrivez-le comme BTC/{quote} : le compte est en {quote}.",
    ),
    "running.no_cash": (
        "The account has {free} {quote} free: make a bot with a smaller budget.",
        "Le compte a {free} {quote} de libre : créez un robot avec un budget plus petit.",
    ),
    "running.no_history": (
        "{venue} has no candles of {symbol} {timeframe} to begin with.",
        "{venue} n'a pas de bougies {symbol} {timeframe} pour commencer.",
    ),
    "running.unknown_account": ("There is no account {account!r}.", "Il n'y a pas de compte {account!r}."),
    "running.unknown_bot": (
        "There is no bot {bot!r}. Those there are: {known}",
        "Il n'y a pas de robot {bot!r}. Ceux qui existent : {known}",
    ),
    "running.not_open": ("{why}", "{why}"),
    "running.no_action": ("No engine does this.", "Aucun moteur ne fait cela."),
    "running.no_keys": (
        (
            "Give the account a key (`cambist account key`), or set CAMBIST_KEY_{name} and CAMBIST_SECRET_{name} "
            "in the environment."
        ),
        (
            "Donnez une clé au compte (`cambist account key`), ou mettez CAMBIST_KEY_{name} et CAMBIST_SECRET_{name} "
            "dans l'environnement."
        ),
    ),
    "running.not_live": (
        "This is real money: it trades only when --live is typed out.",
        "C'est de l'argent réel : il ne joue que si --live est écrit en toutes lettres.",
    ),
    "running.markets": ("Choose one of: {known}", "Choisissez parmi : {known}"),
    "running.market_over": (
        "The made-up market has been played to its end. Delete {file} to begin a new one.",
        "Le marché inventé a été joué jusqu'au bout. Supprimez {file} pour en commencer un autre.",
    ),
    "running.other_market": (
        "This floor plays {market}. Start another with --venue {venue}.",
        "Ce plateau joue {market}. Lancez-en un autre avec --venue {venue}.",
    ),
    # -- answers
    "running.foreign": (
        "{order} (venue's id {venue_id}): {what}",
        "{order} (identifiant de la bourse {venue_id}) : {what}",
    ),
    "running.no_foreign": (
        "All open orders of {account} are Cambist's.",
        "Tous les ordres ouverts de {account} sont de Cambist.",
    ),
    "running.refused": ("Not done: {why}", "Pas fait : {why}"),
    "running.nothing_held": ("{bot} holds nothing.", "{bot} ne détient rien."),
    "running.done.start": ("{bot} runs.", "{bot} tourne."),
    "running.done.stop": ("{bot} is stopped.", "{bot} est arrêté."),
    "running.done.suspend": (
        "{bot} is suspended: no entries; what it holds stays protected.",
        "{bot} est suspendu : aucune entrée ; ce qu'il détient reste protégé.",
    ),
    "running.done.resume": ("{bot} runs again.", "{bot} tourne de nouveau."),
    "running.done.sell": ("{bot} is selling what it holds.", "{bot} vend ce qu'il détient."),
    "running.done.release": (
        "{bot} holds nothing any more; what it held is the account's.",
        "{bot} ne détient plus rien ; ce qu'il détenait est au compte.",
    ),
    "running.no_release": (
        "A position in a perpetual cannot be let go of: sell it.",
        "Une position sur un perpétuel ne peut être lâchée : vendez-la.",
    ),
    "running.done.settings": ("{account} has its new limits.", "{account} a ses nouvelles limites."),
    "running.done.halt": ("{account} is halted.", "{account} est à l'arrêt."),
    "running.done.reduce_only": ("{account} may only reduce.", "{account} ne peut que réduire."),
    "running.done.activate": ("{account} may trade.", "{account} peut négocier."),
    "running.done.rearm": (
        "The equity breaker of {account} is armed again.",
        "Le coupe-circuit de {account} est réarmé.",
    ),
    "running.done.thaw": ("{account}: the instrument trades again.", "{account} : l'instrument est dégelé."),
    "running.done.adopt": (
        "{account} has taken over what the venue holds: {what}",
        "{account} a repris ce que détient la bourse : {what}",
    ),
    "running.done.cancel_foreign": ("{account}: the order is cancelled.", "{account} : l'ordre est annulé."),
    "running.most_bots": (
        "You may have {most} bots: delete one first, or ask an admin for more.",
        "Vous pouvez avoir {most} robots : supprimez-en un, ou demandez à un administrateur.",
    ),
    "running.bot_holds": (
        "{bot} holds a position, or has orders under way: stop it and sell (or release) what it holds first.",
        "{bot} détient une position ou a des ordres en cours : arrêtez-le, puis vendez (ou retirez) ce qu'il détient.",
    ),
    "running.entry_under_way": (
        "{bot} is stopped, but an entry of it is still under way: sell again in a moment.",
        "{bot} est arrêté, mais une entrée est encore en cours : vendez de nouveau dans un instant.",
    ),
    "running.exit_under_way": (
        "{bot} is selling what it holds: there is nothing to release.",
        "{bot} vend ce qu'il détient : il n'y a rien à retirer.",
    ),
    "request.done_before": (
        "It was done before the engine was started anew: its orders are in the list.",
        "C'était fait avant le redémarrage du moteur : ses ordres sont dans la liste.",
    ),
    "request.too_late": (
        (
            "It was asked {seconds} s ago (or the clocks of server and engine differ), and prices move on: what would "
            "trade is done within {most} s or not at all. Ask again if you still want it."
        ),
        (
            "C'était demandé il y a {seconds} s (ou les horloges du serveur et du moteur diffèrent) et les prix "
            "bougent : ce qui ferait un ordre est fait en {most} s, ou pas du tout. Redemandez-le si vous le voulez "
            "encore."
        ),
    ),
    "request.too_early": (
        (
            "It is dated {seconds} s ahead of the engine's clock, so nobody knows how old it is: let both machines "
            "keep the time (NTP), then ask again."
        ),
        (
            "C'est daté de {seconds} s en avance sur l'horloge du moteur, on ne sait donc pas son âge : mettez les "
            "deux machines à l'heure (NTP), puis redemandez."
        ),
    ),
    "running.done.delete": (
        "{bot} is deleted; its money is the account's again.",
        "{bot} est supprimé ; son argent revient au compte.",
    ),
    "running.too_large": (
        "Give a number below 10,000,000,000,000,000; this one would not be exact.",
        "Donnez un nombre sous 10 000 000 000 000 000 ; celui-ci ne serait pas exact.",
    ),
    "request.no_such_level": (
        "A limit order has a limit and no stop, a stop order a stop and no limit, one at market neither.",
        "Un ordre limite a une limite et pas de stop, un stop l'inverse ; un ordre au marché n'a ni l'un ni l'autre.",
    ),
    "request.wishes": ("Give a list of 1 to {most} wishes.", "Donnez une liste de 1 à {most} souhaits."),
    "request.kind": ("Use enter, exit or cancel.", "Utilisez enter, exit ou cancel."),
    "request.one_size": (
        "Give exactly one of quantity, notional and fraction.",
        "Donnez exactement un de quantity, notional et fraction.",
    ),
    "request.fraction": ("Give a fraction above 0, at most 1.", "Donnez une fraction supérieure à 0, au plus 1."),
    "request.side": ("Use buy or sell.", "Utilisez buy ou sell."),
    "request.type": ("Use market, limit or stop.", "Utilisez market, limit ou stop."),
    "request.no_order": (
        "No order {order} was placed by hand on this account.",
        "Aucun ordre {order} n'a été passé à la main sur ce compte.",
    ),
    "request.ended": ("Order {order} has ended already.", "L'ordre {order} est déjà terminé."),
    "request.filled": (
        "Give more than what has filled already: {filled}.",
        "Donnez plus que ce qui est déjà exécuté : {filled}.",
    ),
    "request.cancelling": ("Order {order} is being cancelled.", "L'ordre {order} est en cours d'annulation."),
    "request.amending": (
        "Order {order} is being taken back and ordered anew.",
        "L'ordre {order} est repris puis repassé.",
    ),
    "request.sent": ("Sent: {orders}.", "Envoyé : {orders}."),
    "request.refused": ("{why}.", "{why}."),
    "request.nothing": ("Nothing was to be done.", "Il n'y avait rien à faire."),
    "running.done.keys": (
        "{account} trades with its new keys.",
        "{account} utilise ses nouvelles clés.",
    ),
    "running.done.leave": (
        "{account} is deleted, with its bots and all that was kept of it.",
        "{account} est supprimé, avec ses robots et tout ce qui en était gardé.",
    ),
    "running.holds": (
        "{account} still holds positions or has orders under way: close them first, or force it.",
        "{account} a encore des positions ou des ordres en cours : fermez-les d'abord, ou forcez.",
    ),
    "ticket.one": (
        "Give either a quantity or an amount, not both.",
        "Donnez soit une quantité, soit un montant, pas les deux.",
    ),
    "ticket.no_price": (
        "A market order has no price: leave it out, or choose limit.",
        "Un ordre au marché n'a pas de prix : retirez-le, ou choisissez limit.",
    ),
    "ticket.stop_buy": (
        "A stop to buy waits above the last price, {last}: to buy below it, give a limit.",
        "Un stop d'achat attend au-dessus du dernier prix, {last} : pour acheter en dessous, donnez une limite.",
    ),
    "ticket.stop_sell": (
        "A stop to sell waits below the last price, {last}: to sell above it, give a limit.",
        "Un stop de vente attend sous le dernier prix, {last} : pour vendre au-dessus, donnez une limite.",
    ),
    "ticket.tick": ("Prices are multiples of {tick}.", "Les prix sont des multiples de {tick}."),
    "ticket.least": ("Give at least {least} {asset}.", "Donnez au moins {least} {asset}."),
    "ticket.least_amount": (
        "Give at least {least} {quote}, which is {quantity} {base}.",
        "Donnez au moins {least} {quote}, soit {quantity} {base}.",
    ),
    "trading.bad_ticket": (
        "Give the token that the validation answered, unchanged.",
        "Donnez le jeton répondu par la validation, inchangé.",
    ),
    "trading.other_ticket": (
        "This order was validated by somebody else.",
        "Cet ordre a été validé par quelqu'un d'autre.",
    ),
    "trading.ticket_over": (
        "The validation held for {seconds} s and is over: validate again at the price of now.",
        "La validation valait {seconds} s et a expiré : validez à nouveau au prix actuel.",
    ),
    "trading.ticket_busy": (
        "This order is being placed right now; look at the open orders.",
        "Cet ordre est en train d'être passé ; voyez les ordres ouverts.",
    ),
    "trading.no_offer": ("{why}", "{why}"),
    "request.no_engine": (
        "No engine has answered for {seconds} s: it is down, or busy. The request waits for it: {request}.",
        "Aucun moteur n'a répondu depuis {seconds} s : il est arrêté ou occupé. La demande l'attend : {request}.",
    ),
    "request.engine_refused": ("{why}", "{why}"),
    "bots.strategy": (
        "Choose a built-in strategy ({known}) or one of yours: stored:<id>@<version>.",
        "Choisissez une stratégie intégrée ({known}) ou l'une des vôtres : stored:<id>@<version>.",
    ),
    "bots.confirm": (
        "{bot} holds {quantity} of {symbol}: confirm, or sell it too.",
        "{bot} détient {quantity} de {symbol} : confirmez, ou vendez aussi.",
    ),
    "trading.no_change": ("Give a new price, trigger or quantity.", "Donnez un nouveau prix, seuil ou quantité."),
    "request.lot": ("Quantities are multiples of {lot}.", "Les quantités sont des multiples de {lot}."),
    "request.closing": (
        "Orders that stand in the way are being taken back; then it is done.",
        "Les ordres qui gênent sont repris ; puis ce sera fait.",
    ),
}
