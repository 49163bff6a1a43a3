"""Of people: how they come in, what they may, what they keep secret, and the commands on them."""

TEXTS: dict[str, tuple[str, str]] = {
    # -- coming in
    "people.sign_in": (
        "Sign in first: send an access token or an API token as `Authorization: Bearer ...`.",
        "Connectez-vous d'abord : envoyez un jeton d'accès ou d'API par `Authorization: Bearer ...`.",
    ),
    "people.bad_token": (
        "The token is none of this server's. Sign in again, or make a new API token.",
        "Le jeton n'est pas de ce serveur. Reconnectez-vous, ou faites un nouveau jeton d'API.",
    ),
    "people.token_over": (
        "The token has expired or was ended. Renew the session, or make a new API token.",
        "Le jeton a expiré ou a été révoqué. Renouvelez la session, ou faites un nouveau jeton d'API.",
    ),
    "people.session_over": ("The session is over. Sign in again.", "La session est finie. Reconnectez-vous."),
    "people.disabled": (
        "This person may not come in any more. Ask an admin of the server.",
        "Cette personne n'a plus accès. Adressez-vous à un administrateur du serveur.",
    ),
    "people.wrong_password": (
        "Name or password is wrong. An admin of the server can give you a new password.",
        "Nom ou mot de passe incorrect. Un administrateur du serveur peut vous en donner un nouveau.",
    ),
    "people.code_needed": (
        "Give the code of your authenticator app as well, or one of your recovery codes.",
        "Donnez aussi le code de votre application d'authentification, ou un code de secours.",
    ),
    "people.wrong_code": (
        "The code is wrong or was used already. Wait for the next one, or use a recovery code.",
        "Le code est faux ou a déjà servi. Attendez le suivant, ou prenez un code de secours.",
    ),
    "people.too_many_tries": (
        "Too many tries that failed. Try again in {seconds} s.",
        "Trop d'essais manqués. Réessayez dans {seconds} s.",
    ),
    "people.session_only": (
        "Only somebody who has signed in may do this, not an API token.",
        "Il faut s'être connecté pour cela : un jeton d'API ne suffit pas.",
    ),
    "people.no_debug_login": (
        "The debug login is off. For development: start the server with CAMBIST_DEBUG_LOGIN=true, and turn it on.",
        (
            "La connexion de développement est coupée. Pour développer : démarrez le serveur avec "
            "CAMBIST_DEBUG_LOGIN=true, puis activez-la."
        ),
    ),
    "people.first_admin": (
        (
            "This server has its first user now: admin, password {password}\n"
            "It is shown this once. Change it with `cambist user password admin`, or after signing in."
        ),
        (
            "Ce serveur a son premier utilisateur : admin, mot de passe {password}\n"
            "Il n'est montré qu'une fois. Changez-le par `cambist user password admin`, ou une fois connecté."
        ),
    ),
    # -- registering
    "people.closed": (
        "Nobody can register here. An admin can add you: `cambist user add NAME`.",
        "Personne ne peut s'inscrire ici. Un administrateur peut vous ajouter : `cambist user add NOM`.",
    ),
    "people.invitation_needed": (
        "An invitation is needed to register. Ask an admin for one: `cambist user invite`.",
        "Il faut une invitation pour s'inscrire. Demandez-la à un administrateur : `cambist user invite`.",
    ),
    "people.bad_invitation": (
        "The invitation is not good, was used, or has expired. Ask for a new one.",
        "L'invitation n'est pas bonne, a servi ou a expiré. Demandez-en une nouvelle.",
    ),
    "people.invite_closed": (
        "Registration is closed, so an invitation would be of no use: `cambist user registration invitation` opens it.",
        (
            "L'inscription est fermée, une invitation ne servirait à rien : "
            "`cambist user registration invitation` l'ouvre."
        ),
    ),
    "people.no_invitation": (
        "There is no unused invitation {id}.",
        "Il n'y a pas d'invitation inutilisée {id}.",
    ),
    "people.bad_name": (
        "Take 2 to 32 letters without accents, digits, _, - or full stops, a letter first, and not {dev}.",
        "Prenez 2 à 32 lettres sans accent, chiffres, _, - ou points, une lettre d'abord, et pas {dev}.",
    ),
    "people.name_taken": (
        "Somebody is called {name} already. Choose another name.",
        "Quelqu'un s'appelle déjà {name}. Choisissez un autre nom.",
    ),
    "people.password_length": (
        "Take {shortest} to {longest} characters.",
        "Prenez {shortest} à {longest} caractères.",
    ),
    "people.password_common": (
        "It is among the first that anybody would try. Take several words, or let a password manager choose.",
        "C'est l'un des premiers qu'on essaierait. Prenez plusieurs mots, ou laissez choisir un gestionnaire.",
    ),
    "people.password_again": (
        "This is not your password. Give the one with which you sign in.",
        "Ce n'est pas votre mot de passe. Donnez celui avec lequel vous vous connectez.",
    ),
    "people.code_again": (
        "The code is wrong or was used already. Wait for the next one.",
        "Le code est faux ou a déjà servi. Attendez le suivant.",
    ),
    # -- who there is
    "people.nobody": (
        "There is nobody called {name!r}. Those there are: {known}",
        "Personne ne s'appelle {name!r}. Ceux qui existent : {known}",
    ),
    "people.no_user": ("There is no user {id}.", "Il n'y a pas d'utilisateur {id}."),
    "people.last_admin": (
        "This is the last admin: make somebody else an admin first.",
        "C'est le dernier administrateur : nommez-en d'abord un autre.",
    ),
    "people.dev_has_none": (
        "dev has no password: it is who the debug login is.",
        "dev n'a pas de mot de passe : c'est l'utilisateur de la connexion de développement.",
    ),
    "people.dev_is_switched": (
        "dev comes and goes with the debug login.",
        "dev va et vient avec la connexion de développement.",
    ),
    "people.first_stays": (
        "User 1 owns what the command line does, and stays.",
        "L'utilisateur 1 possède ce que fait la ligne de commande, et reste.",
    ),
    "people.shut_out_first": (
        "{name} may come in: disable {name} first.",
        "{name} a accès : désactivez d'abord {name}.",
    ),
    "people.still_trades": (
        "{accounts} of {name}: there are positions, orders under way or bots that run. Have them ended first.",
        "{accounts} de {name} : il y a des positions, des ordres en cours ou des robots actifs. Faites-y mettre fin.",
    ),
    "people.still_computes": (
        "The jobs of {name} are being cancelled: try again when they have ended.",
        "Les tâches de {name} sont en cours d'annulation : réessayez quand elles sont finies.",
    ),
    "people.has_accounts": ("Delete their accounts first: {accounts}", "Supprimez d'abord ses comptes : {accounts}"),
    "people.limit_unknown": ("Limits there are: {known}", "Limites qui existent : {known}"),
    "people.limit_form": ("Write it as NAME=VALUE.", "Écrivez-la NOM=VALEUR."),
    # -- oneself
    "people.choose": ("Choose one of: {known}", "Choisissez parmi : {known}"),
    "people.time_zone": (
        "Write UTC, local (the reader's own), or a zone such as Europe/Paris.",
        "Écrivez UTC, local (celui du lecteur), ou un fuseau comme Europe/Paris.",
    ),
    "people.currency": (
        "Write it in capitals, as EUR or USDT.",
        "Écrivez-la en capitales, comme EUR ou USDT.",
    ),
    "people.url": (
        "Write it as http://localhost:11434, or with https://; without a name and password in it.",
        "Écrivez-la comme http://localhost:11434, ou en https:// ; sans nom ni mot de passe dedans.",
    ),
    "people.model": (
        "Write the model's name, of at most 200 characters.",
        "Écrivez le nom du modèle, de 200 caractères au plus.",
    ),
    "people.ai_key": (
        "Give the key as the provider shows it, without spaces or line ends around it.",
        "Donnez la clé telle que le fournisseur la montre, sans espace ni fin de ligne autour.",
    ),
    "people.totp_is_on": (
        "A second factor is set up already. Turn it off first.",
        "Un second facteur est déjà en place. Retirez-le d'abord.",
    ),
    "people.totp_not_begun": (
        "No second factor is set up. Begin with POST /api/v1/auth/totp.",
        "Aucun second facteur n'est en place. Commencez par POST /api/v1/auth/totp.",
    ),
    "people.no_session": ("There is no such open session.", "Il n'y a pas de telle session ouverte."),
    "people.no_token": ("There is no such API token.", "Il n'y a pas de tel jeton d'API."),
    "people.token_name": (
        "Give the token a name, of at most {longest} characters.",
        "Donnez un nom au jeton, de {longest} caractères au plus.",
    ),
    "people.tokens_full": (
        "You have {most} API tokens: end some first.",
        "Vous avez {most} jetons d'API : retirez-en d'abord.",
    ),
    "people.scope_too_wide": (
        "The role {role} does not have the scope {scope}, so no token of yours can.",
        "Le rôle {role} n'a pas le droit {scope}, aucun de vos jetons ne le peut donc.",
    ),
    "people.in_future": ("It must be in the future.", "Il doit être dans l'avenir."),
    # -- the vault
    "vault.none": (
        "The vault has no {purpose} of {record}.",
        "Le coffre n'a pas de {purpose} pour {record}.",
    ),
    "vault.does_not_open": (
        "A secret in the vault does not open: it was changed, copied from elsewhere, or sealed by another key.",
        "Un secret du coffre ne s'ouvre pas : il a été changé, copié d'ailleurs, ou scellé par une autre clé.",
    ),
    "vault.no_key": (
        (
            "A secret was wrapped by the vault key {key_id}, which is not here. Bring back the file vault.key of that "
            "server, or add the key to {variable}."
        ),
        (
            "Un secret a été scellé par la clé {key_id} du coffre, qui n'est pas ici. Remettez le fichier vault.key de "
            "ce serveur, ou ajoutez la clé à {variable}."
        ),
    ),
    "vault.bad_key": (
        "A vault key is {bytes} bytes in base64; several stand on lines of their own, the newest first.",
        "Une clé de coffre fait {bytes} octets en base64 ; plusieurs vont chacune sur sa ligne, la plus neuve d'abord.",
    ),
    "vault.file_open": (
        "Others can read the vault key {file} (mode {mode}). Run `chmod 600` on it, and rotate it.",
        "D'autres peuvent lire la clé du coffre {file} (mode {mode}). Faites `chmod 600`, et changez-la.",
    ),
    "vault.file_failed": (
        "The vault key {file} cannot be read: {why}",
        "La clé du coffre {file} ne peut être lue : {why}",
    ),
    "vault.in_environment": (
        (
            "The vault key comes from {variable}. Put a new key in front of the one there, on a line of its own, "
            "and call this again with --rewrap."
        ),
        (
            "La clé du coffre vient de {variable}. Mettez-y une nouvelle clé devant celle d'avant, sur sa propre "
            "ligne, et relancez avec --rewrap."
        ),
    ),
    # -- commands
    "cli.user": (
        "people: roles, limits, passwords, invitations",
        "personnes : rôles, limites, mots de passe, invitations",
    ),
    "cli.audit": ("show the audit log, verify it", "montrer le journal d'audit, le vérifier"),
    "cli.vault": ("rotate the key of the vault of secrets", "changer la clé du coffre des secrets"),
    "user.help": (
        "People on this server: who may come in, and what they may do.",
        "Les personnes de ce serveur : qui entre, et ce que chacun peut faire.",
    ),
    "user.add.help": (
        "Add somebody. Their password is made up, and shown once.",
        "Ajouter quelqu'un. Son mot de passe est inventé, et montré une fois.",
    ),
    "user.option.role": (
        "view (look), trade (and trade one's own), admin (and manage people).",
        "view (regarder), trade (et jouer ses comptes), admin (et gérer les personnes).",
    ),
    "user.option.ask": (
        "Ask for the password instead of making one up.",
        "Demander le mot de passe au lieu d'en inventer un.",
    ),
    "user.option.without": (
        "Take away the second factor too: for who has lost it.",
        "Retirer aussi le second facteur : pour qui l'a perdu.",
    ),
    "user.option.days": ("For how many days it holds.", "Durée de validité, en jours."),
    "user.prompt": ("Password", "Mot de passe"),
    "user.list.help": ("List the people.", "Lister les personnes."),
    "user.password.help": (
        "Give somebody a new password, and end their sessions.",
        "Donner un nouveau mot de passe à quelqu'un, et finir ses sessions.",
    ),
    "user.role.help": (
        "Give somebody another role, and end their sessions.",
        "Donner un autre rôle à quelqu'un, et finir ses sessions.",
    ),
    "user.disable.help": (
        "Shut somebody out. What they have is kept, and their bots go on.",
        "Fermer la porte à quelqu'un. Ce qu'il a est gardé, et ses robots continuent.",
    ),
    "user.enable.help": ("Let somebody in again.", "Rouvrir la porte à quelqu'un."),
    "user.delete.help": (
        "Delete somebody who was disabled, with all that is theirs. The audit log stays.",
        "Supprimer quelqu'un qui a été désactivé, avec tout ce qu'il a. Le journal d'audit reste.",
    ),
    "user.delete.sure": (
        "Delete {name} with accounts, bots, strategies, results and keys? They cannot be had back.",
        "Supprimer {name}, avec comptes, robots, stratégies, résultats et clés ? Rien ne pourra être retrouvé.",
    ),
    "user.limits.help": (
        (
            "Set limits of somebody; an empty value takes one back.\n\n"
            "Examples: max_bots=5 requests_per_minute=300 max_notional=50000 max_daily_loss=500 "
            "backtest_minutes_per_day=60"
        ),
        (
            "Fixer les limites de quelqu'un ; une valeur vide en retire une.\n\n"
            "Exemples : max_bots=5 requests_per_minute=300 max_notional=50000 max_daily_loss=500 "
            "backtest_minutes_per_day=60"
        ),
    ),
    "user.invite.help": (
        "Make an invitation to register: for one person, shown once.",
        "Faire une invitation à s'inscrire : pour une personne, montrée une fois.",
    ),
    "user.registration.help": (
        "Show or set who may register: open (anybody), invitation, closed (nobody).",
        "Montrer ou fixer qui peut s'inscrire : open (tous), invitation, closed (personne).",
    ),
    "user.added": ("{name} is there, with the role {role}.", "{name} est là, avec le rôle {role}."),
    "user.password_is": (
        "Password of {name}, shown this once: {password}",
        "Mot de passe de {name}, montré cette seule fois : {password}",
    ),
    "user.password_set": (
        "{name} has a new password; all sessions are ended.",
        "{name} a un nouveau mot de passe ; toutes ses sessions sont finies.",
    ),
    "user.role_is": ("{name} has the role {role}.", "{name} a le rôle {role}."),
    "user.disabled": ("{name} may not come in any more.", "{name} n'a plus accès."),
    "user.deleted": ("{name} is deleted.", "{name} est supprimé."),
    "user.delete_again": (
        "A running engine was asked to let the accounts of {name} go. Repeat this in a moment.",
        "Un moteur en marche a été prié de laisser les comptes de {name}. Répétez ceci dans un instant.",
    ),
    "user.enabled": ("{name} may come in.", "{name} a accès."),
    "user.limits_are": ("{name}: {limits}", "{name} : {limits}"),
    "user.no_limits": ("no limits", "aucune limite"),
    "user.invitation_is": (
        "Invitation for one person with the role {role}, until {until}, shown this once: {invitation}",
        "Invitation pour une personne avec le rôle {role}, jusqu'au {until}, montrée cette seule fois : {invitation}",
    ),
    "user.registration_is": ("Registration: {mode}", "Inscription : {mode}"),
    "user.column.id": ("Id", "Id"),
    "user.column.name": ("Name", "Nom"),
    "user.column.role": ("Role", "Rôle"),
    "user.column.active": ("Comes in", "A accès"),
    "user.column.second_factor": ("Second factor", "Second facteur"),
    "user.column.seen": ("Last seen", "Vu"),
    "user.column.limits": ("Limits", "Limites"),
    "user.yes": ("yes", "oui"),
    "user.no": ("no", "non"),
    "audit.help": (
        "What people did: an append-only log, each row chained to the one before it.",
        "Ce que les gens ont fait : un journal où chaque ligne est enchaînée à la précédente.",
    ),
    "audit.show.help": ("Show the newest rows, the last one at the bottom.", "Montrer les dernières lignes."),
    "audit.option.last": ("How many rows.", "Nombre de lignes."),
    "audit.option.user": ("Only what concerns this person.", "Seulement ce qui concerne cette personne."),
    "audit.verify.help": (
        "Check the whole chain; exit with 1 and name the first broken row.",
        "Vérifier toute la chaîne ; sort avec 1 et nomme la première ligne brisée.",
    ),
    "audit.whole": (
        "The log is whole. Rows: {count}. Hash of the last: {hash}",
        "Le journal est entier. Lignes : {count}. Empreinte de la dernière : {hash}",
    ),
    "audit.empty": ("The audit log is empty.", "Le journal d'audit est vide."),
    "audit.changed": (
        "Row {seq} was changed after it was written.",
        "La ligne {seq} a été changée après coup.",
    ),
    "audit.missing": (
        "Row {expected} is missing: row {seq} comes in its place.",
        "La ligne {expected} manque : la ligne {seq} vient à sa place.",
    ),
    "audit.unchained": (
        "Row {seq} does not follow the row before it.",
        "La ligne {seq} ne suit pas la précédente.",
    ),
    "audit.column.seq": ("Row", "Ligne"),
    "audit.column.when": ("When (UTC)", "Quand (UTC)"),
    "audit.column.actor": ("Who", "Qui"),
    "audit.column.action": ("What", "Quoi"),
    "audit.column.target": ("To whom or what", "À qui ou à quoi"),
    "audit.column.address": ("From", "D'où"),
    "audit.column.details": ("Details", "Détails"),
    "vault.help": (
        "The vault: exchange keys and other secrets, sealed in the database by a key that lies elsewhere.",
        "Le coffre : clés de bourse et autres secrets, scellés dans la base par une clé qui est ailleurs.",
    ),
    "vault.rotate.help": (
        (
            "Make a new vault key, and wrap every secret's own key with it; the secrets stay closed. Servers that run "
            "take it up by themselves. Old keys stay in the file, below the new one: backups need them."
        ),
        (
            "Faire une nouvelle clé de coffre, et en sceller la clé de chaque secret ; les secrets restent clos. Les "
            "serveurs en marche la prennent d'eux-mêmes. Les anciennes restent dans le fichier : les sauvegardes en "
            "ont besoin."
        ),
    ),
    "vault.option.rewrap": (
        "Make no key: wrap with the first of those that there are.",
        "Ne pas faire de clé : sceller avec la première de celles qui existent.",
    ),
    "vault.rotated": (
        "Secrets wrapped anew: {count}",
        "Secrets scellés à nouveau : {count}",
    ),
}
