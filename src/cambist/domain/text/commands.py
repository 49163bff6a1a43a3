"""Help and answers of the commands that trade: up, account, bot, run."""

TEXTS: dict[str, tuple[str, str]] = {
    "up.help": (
        (
            "Start a whole trading floor in this terminal: a market, its heartbeat, the engine with all accounts and "
            "bots that are set up, and a live view. Ctrl-C stops it; everything is kept.\n\n"
            "The first start sets up a paper account with two bots. Without options the market is made up, needs no "
            "network, and rests while nobody plays it."
        ),
        (
            "Démarrer un plateau complet dans ce terminal : un marché, son heartbeat, le moteur avec tous les comptes "
            "et robots, et une vue en direct. Ctrl-C l'arrête ; tout est gardé.\n\n"
            "Le premier démarrage crée un compte papier et deux robots. Sans option, le marché est inventé, ne demande "
            "aucun réseau et se repose tant que personne n'y joue."
        ),
    ),
    "up.option.venue": (
        "The market: simulated (made up) or binance (live prices).",
        "Le marché : simulated (inventé) ou binance (prix réels).",
    ),
    "up.option.speed": (
        "How fast the made-up market goes: 60 is an hour a minute, 1 its own pace.",
        "Vitesse du marché inventé : 60, une heure par minute ; 1, son propre rythme.",
    ),
    "up.option.headless": ("No view: log lines, for servers.", "Sans vue : des lignes de journal, pour serveurs."),
    "up.option.live": (
        "Trade live accounts with real money. Must be typed out each time.",
        "Jouer les comptes réels, avec de l'argent réel. À écrire à chaque fois.",
    ),
    "up.option.port": (
        "Where /metrics and /healthz are served, to this machine alone; 0: any free port.",
        "Port de /metrics et /healthz, pour cette machine seule ; 0 : un port libre.",
    ),
    "up.option.api": (
        "Where the API is served. 0.0.0.0 lets other machines in: put TLS before it.",
        "Où l'API est servie. 0.0.0.0 laisse entrer d'autres machines : placez TLS devant.",
    ),
    "up.option.no_api": ("Serve no API.", "Ne pas servir l'API."),
    "up.address": ("Give HOST:PORT, such as 127.0.0.1:8000.", "Donnez HÔTE:PORT, par exemple 127.0.0.1:8000."),
    "run.api.help": (
        "Serve REST and WebSocket over the accounts, jobs and markets of the database and the bus.",
        "Servir REST et WebSocket sur les comptes, travaux et marchés de la base et du bus.",
    ),
    "run.api.option.workers": (
        "So many processes here that run backtests and downloads; else see `cambist run worker`.",
        "Autant de processus ici pour backtests et téléchargements ; sinon voyez `cambist run worker`.",
    ),
    "api.serving": ("The API is served at {url}.", "L'API est servie à {url}."),
    "api.no_port": (
        "The API is not served at {host}:{port}; choose another address with {option} ({why}).",
        "L'API n'est pas servie à {host}:{port} ; choisissez une autre adresse avec {option} ({why}).",
    ),
    "up.option.for": ("Stop after so many seconds.", "S'arrêter après tant de secondes."),
    "up.no_live_account": (
        "--live is given, but there is no live account: `cambist account add NAME --mode live --venue binance`.",
        "--live est donné, mais il n'y a pas de compte réel : `cambist account add NOM --mode live --venue binance`.",
    ),
    "up.another": (
        (
            "Another engine runs these accounts already; `cambist bot list` shows them. "
            "With --headless this one would wait, and take over if that one ends."
        ),
        (
            "Un autre moteur tient déjà ces comptes ; `cambist bot list` les montre. "
            "Avec --headless, celui-ci attendrait et prendrait le relais si l'autre s'arrête."
        ),
    ),
    "up.no_port": (
        "/metrics and /healthz are not served on port {port}; choose another with --port ({why}).",
        "/metrics et /healthz ne sont pas servis au port {port} ; changez-le avec --port ({why}).",
    ),
    "up.headless": (
        "Running. Health: {url}. Stop with Ctrl-C.",
        "En marche. Santé : {url}. Arrêt par Ctrl-C.",
    ),
    "up.stopped": (
        "Stopped. Everything is kept: `cambist up` goes on from here, `cambist bot list` shows the bots. Log: {log}",
        "Arrêté. Tout est gardé : `cambist up` reprend d'ici, `cambist bot list` montre les robots. Journal : {log}",
    ),
    "up.title.made_up": ("made-up market, {speed} times its pace", "marché inventé, {speed} fois son rythme"),
    "up.title.live": ("{venue}, live prices", "{venue}, prix réels"),
    # -- accounts
    "account.help": (
        "Accounts: add and limit them, stop them at once.",
        "Comptes : les ajouter, les limiter, les arrêter net.",
    ),
    "account.add.help": (
        "Add an account: on paper, on a venue's testnet, or live.",
        "Ajouter un compte : papier, testnet d'une bourse, ou réel.",
    ),
    "account.option.venue": (
        "The exchange (binance, kraken, coinbase, bybit, bitget, okx and others), or simulated.",
        "La bourse (binance, kraken, coinbase, bybit, bitget, okx et d'autres), ou simulated.",
    ),
    "account.option.mode": (
        "Simulated orders, the venue's testnet, or real money.",
        "Ordres simulés, testnet de la bourse, ou argent réel.",
    ),
    "account.option.quote": ("The currency in which its bots count.", "La monnaie dans laquelle comptent ses robots."),
    "account.option.deposit": ("What a paper account begins with.", "Ce qu'un compte papier a au départ."),
    "account.option.symbol": ("The instrument, BTC/USDT.", "L'instrument, BTC/USDT."),
    "account.option.order": (
        "The order's id, as `cambist account foreign` gives it.",
        "L'identifiant de l'ordre, tel que `cambist account foreign` le donne.",
    ),
    "account.option.flatten": ("Close all positions too.", "Fermer aussi toutes les positions."),
    "account.added": (
        "Account {account} is there. Next: `cambist bot create NAME STRATEGY --account {account} ...`",
        "Le compte {account} existe. Ensuite : `cambist bot create NOM STRATÉGIE --account {account} ...`",
    ),
    "account.needs_key": (
        (
            "It needs a key: `cambist account key {account}` tries one and keeps it in the vault; "
            "or set CAMBIST_KEY_{name} and CAMBIST_SECRET_{name} in the environment of the floor."
        ),
        (
            "Il lui faut une clé : `cambist account key {account}` l'essaie et la garde au coffre ; "
            "ou mettez CAMBIST_KEY_{name} et CAMBIST_SECRET_{name} dans l'environnement du plateau."
        ),
    ),
    "account.list.help": ("List the accounts as they stand.", "Lister les comptes et leur état."),
    "account.none": (
        "There is no account yet: `cambist up` makes one on paper, or `cambist account add NAME`.",
        "Aucun compte encore : `cambist up` en crée un papier, ou `cambist account add NOM`.",
    ),
    "account.show.help": (
        "Show one account: bots, orders, limits.",
        "Montrer un compte : robots, ordres, limites.",
    ),
    "account.set.help": (
        (
            "Set limits and the equity breaker; an empty value takes one back.\n\n"
            "Examples: max_daily_loss=100 max_open_positions=3 from_peak.halve=0.05 from_peak.flatten=0.2"
        ),
        (
            "Fixer limites et coupe-circuit ; une valeur vide retire la limite.\n\n"
            "Exemples : max_daily_loss=100 max_open_positions=3 from_peak.halve=0.05 from_peak.flatten=0.2"
        ),
    ),
    "account.left_out": ("{account} is left out: {why}", "{account} est laissé de côté : {why}"),
    "account.outside_bots": ("Held outside its bots: {held}", "Détenu hors de ses robots : {held}"),
    "account.begins": ("It began with {deposit} {quote}.", "Il a commencé avec {deposit} {quote}."),
    "account.limits": ("Limits: {limits}", "Limites : {limits}"),
    "account.set.form": ("Write it as NAME=VALUE.", "Écrivez-le NOM=VALEUR."),
    "account.set.done": (
        "{account} has these limits; a running engine takes them up at once.",
        "{account} a ces limites ; un moteur en marche les reprend aussitôt.",
    ),
    "account.halt.help": (
        "Kill switch: no entry leaves, waiting entries are cancelled, what is held stays protected.",
        "Arrêt d'urgence : plus d'entrée, celles en attente sont annulées, ce qui est détenu reste protégé.",
    ),
    "account.halt.option.all": ("All accounts.", "Tous les comptes."),
    "account.halt.which": (
        "Name one account, or give --all.",
        "Nommez un compte, ou donnez --all.",
    ),
    "account.delete.help": (
        "Delete an account with its key, its bots and all that is kept of it. What is at its exchange stays there.",
        "Supprimer un compte avec sa clé, ses robots et tout ce qui en est gardé. Ce qui est à sa bourse y reste.",
    ),
    "account.delete.option.force": (
        "Even if it holds positions or has orders under way: they stay at the exchange, and nobody looks after them.",
        "Même s'il a des positions ou des ordres en cours : ils restent à la bourse, et personne ne s'en occupe.",
    ),
    "account.delete.sure": (
        "{account} will be gone with its orders, trades, ledger and bots ({bots}). Delete it?",
        "{account} disparaîtra avec ses ordres, ses trades, son grand livre et ses robots ({bots}). Le supprimer ?",
    ),
    "account.key.help": (
        (
            "Ask for the API key of a testnet or live account, try it at the exchange, and keep it in the vault: "
            "encrypted, in place of one in the environment."
        ),
        (
            "Demander la clé API d'un compte testnet ou réel, l'essayer à la bourse et la garder au coffre : "
            "chiffrée, à la place d'une clé dans l'environnement."
        ),
    ),
    "account.key.option.force": (
        "Keep the key although it may withdraw money.",
        "Garder la clé bien qu'elle permette de retirer de l'argent.",
    ),
    "account.key.paper": (
        "A paper account needs no key.",
        "Un compte papier n'a pas besoin de clé.",
    ),
    "account.key.api_key": ("API key", "Clé API"),
    "account.key.secret": ("Secret", "Secret"),
    "account.key.password": ("Pass phrase", "Phrase secrète"),
    "account.key.uid": ("User id at the exchange", "Identifiant à la bourse"),
    "account.key.may.read": ("May read", "Peut lire"),
    "account.key.may.trade": ("May trade", "Peut négocier"),
    "account.key.may.withdraw": ("May withdraw", "Peut retirer"),
    "account.key.yes": ("yes", "oui"),
    "account.key.no": ("no", "non"),
    "account.key.unknown": ("the exchange does not say", "la bourse ne le dit pas"),
    "account.key.holds": ("Opens", "Ouvre"),
    "account.key.worth": ("About", "Environ"),
    "account.key.kept": (
        "The key of {account} is kept in the vault.",
        "La clé de {account} est gardée au coffre.",
    ),
    "account.reduce_only.help": (
        "No entries; positions are protected and closed as usual.",
        "Aucune entrée ; les positions sont protégées et fermées comme d'habitude.",
    ),
    "account.activate.help": ("Let a halted account trade again.", "Rendre l'activité à un compte arrêté."),
    "account.rearm.help": ("Re-arm the equity breaker.", "Réarmer le coupe-circuit du capital."),
    "account.thaw.help": (
        "Let a frozen instrument trade again, the difference being explained.",
        "Dégeler un instrument, la différence étant expliquée.",
    ),
    "account.adopt.help": (
        "Book what the venue holds otherwise than the journal says, and thaw.",
        "Inscrire ce que la bourse détient autrement que le journal, et dégeler.",
    ),
    "account.foreign.help": (
        "List the orders at the venue that are not Cambist's, as the engine saw them last.",
        "Lister les ordres à la bourse qui ne sont pas de Cambist, tels que le moteur les a vus.",
    ),
    "account.cancel_foreign.help": (
        "Cancel an order at the venue that is not Cambist's.",
        "Annuler à la bourse un ordre qui n'est pas de Cambist.",
    ),
    # -- bots
    "bot.help": (
        "Bots: one strategy on one instrument, with a budget.",
        "Robots : une stratégie sur un instrument, avec un budget.",
    ),
    "bot.create.help": (
        "Make a bot of STRATEGY (a sample's name, or a file.py[:Class]). It trades once it is started.",
        "Créer un robot avec STRATÉGIE (un exemple, ou fichier.py[:Classe]). Il joue une fois démarré.",
    ),
    "bot.option.account": ("The account that it trades on.", "Le compte sur lequel il joue."),
    "bot.option.budget": (
        "What of the account's cash it may use.",
        "Ce qu'il peut utiliser des liquidités du compte.",
    ),
    "bot.option.since": ("Decide nothing before this moment.", "Ne rien décider avant ce moment."),
    "bot.option.until": ("Decide nothing after this moment.", "Ne rien décider après ce moment."),
    "bot.option.start": ("Start it at once.", "Le démarrer aussitôt."),
    "bot.option.sell": ("Sell what it holds too.", "Vendre aussi ce qu'il détient."),
    "bot.option.yes": ("Do not ask.", "Ne pas demander."),
    "bot.created": (
        "{bot} is there. Next: `cambist bot start {bot}`",
        "{bot} existe. Ensuite : `cambist bot start {bot}`",
    ),
    "bot.created_starting": ("{bot} is there.", "{bot} existe."),
    "bot.none": ("No bot has started yet.", "Aucun robot n'a encore démarré."),
    "bot.not_started": ("{bot} has not started yet.", "{bot} n'a pas encore démarré."),
    "bot.list.help": ("List the bots as they stand.", "Lister les robots et leur état."),
    "bot.show.help": (
        "Show one bot: position, protection, orders, results.",
        "Montrer un robot : position, protection, ordres, résultats.",
    ),
    "bot.start.help": ("Let a bot trade.", "Laisser un robot jouer."),
    "bot.stop.help": (
        "Stop a bot. What it holds stays protected at the venue unless --sell is given.",
        "Arrêter un robot. Ce qu'il détient reste protégé à la bourse, sauf avec --sell.",
    ),
    "bot.stop.open": (
        (
            "{bot} holds {quantity} of {symbol}. Stopped, it no longer decides when to sell; its stop stays. "
            "--sell sells now."
        ),
        (
            "{bot} détient {quantity} de {symbol}. Arrêté, il ne décide plus quand vendre ; son stop reste. "
            "--sell vend maintenant."
        ),
    ),
    "bot.stop.sure": ("Stop it all the same?", "L'arrêter quand même ?"),
    "bot.suspend.help": (
        "Let a bot enter nothing; what it holds stays protected.",
        "Interdire toute entrée à un robot ; ce qu'il détient reste protégé.",
    ),
    "bot.resume.help": ("Let a suspended bot go on.", "Laisser un robot suspendu reprendre."),
    "bot.sell.help": (
        "Close what a bot holds, now, at market.",
        "Fermer maintenant, au marché, ce que détient un robot.",
    ),
    "bot.release.help": (
        "Take a bot's position out of its hands, unsold: you have sold it yourself, or want to keep it.",
        "Retirer sa position à un robot sans la vendre : vous l'avez vendue vous-même, ou voulez la garder.",
    ),
    "bot.release.sure": (
        "{bot} will hold nothing, and its stop is taken back: what it held is yours to guard. Do it?",
        "{bot} ne détiendra plus rien, son stop est retiré : à vous de garder ce qu'il détenait. Le faire ?",
    ),
    "bot.delete.help": (
        "Delete a bot that holds nothing: its money is the account's again, its trades stay in the history.",
        "Supprimer un robot qui ne détient rien : son argent revient au compte, ses trades restent dans l'historique.",
    ),
    "bot.delete.sure": (
        "{bot} will be gone, and its name stays taken. Delete it?",
        "{bot} disparaîtra, et son nom reste pris. Le supprimer ?",
    ),
    "bot.deleted": ("{bot} is deleted; it had not begun.", "{bot} est supprimé ; il n'avait pas commencé."),
    "asking.yes_no": ("y/N", "o/N"),
    "asking.yes_or_no": ("Answer y (yes) or n (no).", "Répondez o (oui) ou n (non)."),
    "asking.stands": (
        (
            "Not waiting any longer, but what was asked stands, and may be done at any moment: look before you ask "
            "again (`cambist order list`, `cambist bot list`)."
        ),
        (
            "L'attente est finie, mais ce qui est demandé reste demandé et peut se faire à tout moment : regardez "
            "avant de redemander (`cambist order list`, `cambist bot list`)."
        ),
    ),
    "asking.none_runs": (
        "No engine runs, so no bot decides: they go on when one does (`cambist up`). Stops at the venue stay there.",
        "Aucun moteur ne tourne : les robots ne décident plus avant `cambist up`. Les stops restent à la bourse.",
    ),
    "asking.later": (
        "No engine has answered: it will be done when one runs (`cambist up`).",
        "Aucun moteur n'a répondu : ce sera fait quand l'un tournera (`cambist up`).",
    ),
    # -- heartbeat, alerts
    "heart.help": (
        "Show starts, stops and errors of each source of the heartbeat, and the newest signals.",
        "Montrer démarrages, arrêts et erreurs de chaque source du heartbeat, et les signaux récents.",
    ),
    "heart.option.timeframe": ("Which signals to list.", "Quels signaux lister."),
    "heart.option.last": ("How many.", "Combien."),
    "heart.never": (
        "The heartbeat has never run here: `cambist up` starts it.",
        "Le heartbeat n'a jamais tourné ici : `cambist up` le démarre.",
    ),
    "heart.connected": ("connected", "connecté"),
    "heart.not_connected": ("not connected", "non connecté"),
    "heart.live": ("live", "direct"),
    "heart.repaired": ("asked for afterwards", "redemandée ensuite"),
    "heart.column.source": ("Source", "Source"),
    "heart.column.state": ("State", "État"),
    "heart.column.start": ("Last start", "Dernier démarrage"),
    "heart.column.stop": ("Last stop", "Dernier arrêt"),
    "heart.column.symbols": ("Symbols", "Symboles"),
    "heart.column.error": ("Last error", "Dernière erreur"),
    "heart.column.signal": ("Signal", "Signal"),
    "heart.column.market": ("Market", "Marché"),
    "heart.column.close": ("Candle closed", "Clôture"),
    "heart.column.received": ("Received", "Reçu"),
    "heart.column.delay": ("After", "Après"),
    "heart.column.type": ("Type", "Type"),
    "alerts.help": (
        "List the newest alerts, the last one at the bottom.",
        "Lister les alertes récentes, la dernière en bas.",
    ),
    "alerts.option.last": ("How many.", "Combien."),
    "alerts.none": ("There are no alerts.", "Il n'y a pas d'alerte."),
    "alerts.column.when": ("When (UTC)", "Quand (UTC)"),
    "alerts.column.level": ("Level", "Niveau"),
    "alerts.column.account": ("Account", "Compte"),
    "alerts.column.what": ("What", "Quoi"),
    "alerts.level.info": ("info", "info"),
    "alerts.level.warning": ("warning", "attention"),
    "alerts.level.critical": ("critical", "critique"),
    # -- parts
    "run.help": (
        "Run the parts of the floor as processes of their own, over BUS_URL (Redis) and DATABASE_URL (PostgreSQL).",
        "Lancer les parties du plateau en processus séparés, par BUS_URL (Redis) et DATABASE_URL (PostgreSQL).",
    ),
    "run.heartbeat.help": (
        "Listen to Binance and publish a signal at each close.",
        "Écouter Binance et publier un signal à chaque clôture.",
    ),
    "run.gateway.help": (
        "Carry orders to the exchanges: one connection each, whatever the number of engines. It alone holds keys.",
        "Porter les ordres aux bourses : une connexion chacune pour tous les moteurs. Lui seul détient les clés.",
    ),
    "run.engine.help": (
        "Decide, order, protect. A second one waits, and takes over when the first dies.",
        "Décider, commander, protéger. Un second attend, et prend le relais si le premier meurt.",
    ),
    "run.option.symbol": (
        "What to listen to besides what the bots trade; BTC/USDT if nothing is named.",
        "Ce qu'il faut écouter en plus de ce que jouent les robots ; BTC/USDT si rien n'est nommé.",
    ),
    "run.option.source": (
        "This heartbeat's name; a second one (secondary) is heard when the primary is late.",
        "Le nom de ce heartbeat ; un second (secondary) est entendu quand le premier tarde.",
    ),
    "run.option.port": (
        "Where /metrics and /healthz are served, to this machine alone; 0: any free port.",
        "Port de /metrics et /healthz, pour cette machine seule ; 0 : un port libre.",
    ),
    "run.no_bus": (
        "Give a Redis that the processes share, redis://HOST. In one process: `cambist up`.",
        "Donnez un Redis que les processus partagent, redis://HÔTE. En un seul processus : `cambist up`.",
    ),
    "run.starting": ("It is starting.", "Il démarre."),
    "run.running": ("{part} runs. Health: {url}. Stop with Ctrl-C.", "{part} tourne. Santé : {url}. Arrêt par Ctrl-C."),
    "run.stopped": ("{part} has stopped.", "{part} s'est arrêté."),
    "run.loading": ("Loading {exchange} ...", "Chargement de {exchange} ..."),
    "run.loaded": ("{exchange}: {count} markets.", "{exchange} : {count} marchés."),
}
