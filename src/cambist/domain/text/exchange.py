"""Of the exchanges in a box."""

TEXTS: dict[str, tuple[str, str]] = {
    "exchange.no_symbol": (
        "{symbol} is not traded here. Symbols are written like BTC/USDT, perpetuals like BTC/USDT:USDT.",
        "{symbol} n'est pas coté ici. Un symbole s'écrit comme BTC/USDT, un perpétuel comme BTC/USDT:USDT.",
    ),
    "exchange.no_account": ("There is no account {account!r}", "Le compte {account!r} n'existe pas"),
    "exchange.no_order": (
        "There is no order {order!r} on {symbol}",
        "Il n'y a pas d'ordre {order!r} sur {symbol}",
    ),
    "exchange.no_price": ("{symbol} has not traded yet", "{symbol} n'a pas encore été échangé"),
    "exchange.account_taken": ("an account of that name exists", "un compte de ce nom existe déjà"),
    "exchange.balance": (
        "Account has insufficient balance: {needed} {asset} needed, {free} free",
        "Solde insuffisant : il faut {needed} {asset}, {free} sont libres",
    ),
    "exchange.duplicate": ("Duplicate order sent: {order!r}", "Ordre envoyé deux fois : {order!r}"),
    "exchange.lot_size": (
        "Quantity {quantity} is not a positive multiple of the lot step {step}",
        "La quantité {quantity} n'est pas un multiple positif du pas {step}",
    ),
    "exchange.tick_size": (
        "Price {price} is not a positive multiple of the tick size {step}",
        "Le prix {price} n'est pas un multiple positif du pas de cotation {step}",
    ),
    "exchange.min_quantity": (
        "Quantity {quantity} is below the minimum of {least}",
        "La quantité {quantity} est sous le minimum de {least}",
    ),
    "exchange.min_notional": (
        "The order is worth {notional}, less than the minimum of {least}",
        "L'ordre vaut {notional}, moins que le minimum de {least}",
    ),
    "exchange.would_trigger": (
        "Stop price would trigger immediately: {trigger}, the market is at {price}",
        "Le seuil {trigger} se déclencherait aussitôt : le marché est à {price}",
    ),
    "exchange.reduce_only": (
        "The reduce-only order has no position on {symbol} to reduce",
        "L'ordre ne peut que réduire, et il n'y a pas de position à réduire sur {symbol}",
    ),
    "exchange.shape": (
        "An order of type {type} needs {needs}",
        "Un ordre de type {type} doit porter {needs}",
    ),
    "exchange.oco": (
        "The two orders of an OCO must have one symbol, side and quantity, and be a stop and a target",
        "Les deux ordres d'un OCO doivent avoir même symbole, même sens et même quantité : un stop et un objectif",
    ),
    "exchange.no_stop": (
        "Order {order!r} has no trigger that could be moved any more",
        "L'ordre {order!r} n'a plus de seuil à déplacer",
    ),
    "cli.simulate": (
        "serve an exchange in a box, for unmodified clients",
        "servir une bourse en boîte, pour clients inchangés",
    ),
    "box.help": ("Exchanges in a box.", "Des bourses en boîte."),
    "box.exchange.help": (
        "Serve an exchange on this machine that clients take for the real one: give them its address.",
        "Sert sur cette machine une bourse que les clients prennent pour la vraie : donnez-leur son adresse.",
    ),
    "box.option.dialect": ("whose API is spoken: {known}", "la bourse dont l'API est parlée : {known}"),
    "box.option.host": ("the address to listen on", "l'adresse d'écoute"),
    "box.option.port": ("the port to listen on; 0: any free one", "le port d'écoute ; 0 : n'importe lequel de libre"),
    "box.option.market": (
        "what is traded: synthetic, or 1m candles of the lake (lake, lake:VENUE)",
        "ce qui s'échange : synthetic, ou les bougies 1m du lac (lake, lake:BOURSE)",
    ),
    "box.option.symbol": (
        "a symbol to trade; may be repeated  [default: {known}]",
        "un symbole à coter ; peut être répété  [défaut : {known}]",
    ),
    "box.option.since": (
        "when the exchange's clock begins  [default: now; half way through the lake's candles]",
        "l'heure de départ de la bourse  [défaut : maintenant ; le milieu des bougies du lac]",
    ),
    "box.option.seed": ("the same seed gives the same market", "la même graine donne le même marché"),
    "box.option.speed": (
        "how many seconds pass there in one of ours",
        "combien de secondes y passent pendant une des nôtres",
    ),
    "box.option.faults": ("a JSON file of faults to bring about", "un fichier JSON de pannes à provoquer"),
    "box.option.key": ("the account's API key", "la clé d'API du compte"),
    "box.option.secret": (
        "the key's secret (default: {binance}; for kraken, whose secrets are base64: {kraken})",
        "le secret de la clé (par défaut : {binance} ; pour kraken, dont les secrets sont en base64 : {kraken})",
    ),
    "box.option.balance": (
        "what the account holds, as ASSET=AMOUNT; may be repeated  [default: {known}]",
        "ce que détient le compte, sous la forme ACTIF=MONTANT ; peut être répété  [défaut : {known}]",
    ),
    "box.known": ("Use one of: {known}", "Choisissez parmi : {known}"),
    "box.secret": (
        "Kraken's secrets are base64, like Y2FtYmlzdA==",
        "Les secrets de Kraken sont en base64, comme Y2FtYmlzdA==",
    ),
    "box.balance": ("Write it like USDT=100000", "Écrivez-le comme USDT=100000"),
    "box.port_taken": (
        "Cannot listen there: {why}. Choose another, or 0 for any.",
        "Impossible d'écouter là : {why}. Choisissez-en un autre, ou 0 pour n'importe lequel.",
    ),
    "box.no_candles": (
        "The lake has no 1m candles of {venue} {symbol}: fetch them with cambist download",
        "Le lac n'a pas de bougies 1m de {venue} {symbol} : récupérez-les avec cambist download",
    ),
    "box.serving": (
        "{exchange} spot in a box at {url}, its clock from {moment} UTC. Key {key}, secret {secret}. Ctrl-C ends it.",
        "{exchange} spot en boîte à {url}, horloge à {moment} UTC. Clé {key}, secret {secret}. Ctrl-C l'arrête.",
    ),
    "box.stopped": (
        "Stopped after {requests} requests and {struck} faults.",
        "Arrêté après {requests} requêtes et {struck} pannes.",
    ),
    "box.faults.unreadable": ("The file cannot be read: {why}", "Le fichier ne peut pas être lu : {why}"),
    "box.faults.not_json": ("The file is not JSON: {why}", "Le fichier n'est pas du JSON : {why}"),
    "box.faults.shape": (
        'Write {{"seed": 7, "faults": [{{"kind": "lost", "where": "POST /api/v3/order", "skip": 1}}]}}',
        'Écrivez {{"seed": 7, "faults": [{{"kind": "lost", "where": "POST /api/v3/order", "skip": 1}}]}}',
    ),
    "box.faults.field": ("A fault has the fields: {known}", "Une panne a les champs : {known}"),
    "box.faults.type": ("It must be of type {type}", "Il doit être de type {type}"),
    "box.faults.kind": ("Use one of: {known}", "Choisissez parmi : {known}"),
    "box.faults.counts": (
        "skip and times are 0 or more, every is 1 or more",
        "skip et times valent 0 ou plus, every 1 ou plus",
    ),
    "box.faults.share": (
        "probability lies between 0 and 1, factor is 0 or more",
        "probability est entre 0 et 1, factor vaut 0 ou plus",
    ),
    "box.faults.where": (
        "{streams} happen on streams (ws:btcusdt@trade, ws:user), the others at paths",
        "{streams} arrivent sur des flux (ws:btcusdt@trade, ws:user), les autres à des chemins",
    ),
}
