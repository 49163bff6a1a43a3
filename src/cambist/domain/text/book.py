"""Of the journal, the ledger and the register."""

TEXTS: dict[str, tuple[str, str]] = {
    "book.fenced": (
        (
            "Entry {seq} does not follow in the journal of {account}: another engine writes it now. "
            "This one stops; start it again as standby."
        ),
        (
            "L'entrée {seq} ne fait pas suite dans le journal de {account} : un autre moteur l'écrit désormais. "
            "Celui-ci s'arrête ; relancez-le en réserve."
        ),
    ),
    "book.hole": (
        "The journal of {account} lacks entries after {seq}. Restore the database: nothing is sure without them.",
        "Il manque des entrées après {seq} au journal de {account}. Restaurez la base : sans elles rien n'est sûr.",
    ),
    "book.booked_twice": (
        "The ledger has one of these entries already, so nothing was written: {entries}",
        "Le grand livre contient déjà une de ces écritures, rien n'a donc été écrit : {entries}",
    ),
    "book.account_taken": (
        "This account exists already, perhaps another user's. Choose another name.",
        "Ce compte existe déjà, peut-être chez un autre utilisateur. Choisissez un autre nom.",
    ),
    "book.bot_taken": (
        "This bot exists already, perhaps another user's, or was deleted: its name stays taken. Choose another name.",
        (
            "Ce robot existe déjà, peut-être chez un autre utilisateur, ou a été supprimé : son nom reste pris. "
            "Choisissez un autre nom."
        ),
    ),
    "book.no_account": (
        "There is no account {account!r}. Those there are: {near} (`cambist account add` adds one)",
        "Il n'y a pas de compte {account!r}. Ceux qui existent : {near} (`cambist account add` en ajoute un)",
    ),
    "book.no_bot": (
        "The account {account} has no bot {bot!r}. Those it has: {near}",
        "Le compte {account} n'a pas de robot {bot!r}. Ceux qu'il a : {near}",
    ),
    "book.no_request": ("There is no request #{id}.", "Il n'y a pas de demande n° {id}."),
    "book.not_yours": (
        "User {user} can write nothing in another's name.",
        "L'utilisateur {user} ne peut rien écrire au nom d'un autre.",
    ),
    "bus.failed": ("The bus at {where} did not take it: {why}", "Le bus {where} ne l'a pas pris : {why}"),
    "bus.url": (
        "Give redis://[USER:PASSWORD@]HOST[:PORT][/NUMBER], rediss:// or unix://, or leave it empty.",
        "Donnez redis://[UTILISATEUR:MOT_DE_PASSE@]HÔTE[:PORT][/NUMÉRO], rediss:// ou unix://, ou laissez vide.",
    ),
    "bus.away": (
        "The bus at {where} is away ({why}); trying again in {seconds} s.",
        "Le bus {where} ne répond pas ({why}) ; nouvel essai dans {seconds} s.",
    ),
    "bus.unreadable": (
        "Message {key} on {topic} is not one of Cambist's and is left out. Who else writes there?",
        "Le message {key} sur {topic} n'est pas de Cambist et est laissé de côté. Qui d'autre y écrit ?",
    ),
    "bus.lagging": (
        "{group} is too slow on {topic}: {lost} messages went before it took them.",
        "{group} est trop lent sur {topic} : {lost} messages sont partis avant qu'il les prenne.",
    ),
}
