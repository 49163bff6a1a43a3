"""Texts: strategies that people keep on the server, and the assistant that writes them."""

TEXTS: dict[str, tuple[str, str]] = {
    "shelf.no_strategy": ("There is no strategy {id}.", "Il n'y a pas de stratégie {id}."),
    "shelf.no_version": (
        "The strategy {id} has no version {version}.",
        "La stratégie {id} n'a pas de version {version}.",
    ),
    "shelf.name_taken": (
        "You have a strategy called {name!r} already. Choose another name.",
        "Vous avez déjà une stratégie appelée {name!r}. Choisissez un autre nom.",
    ),
    "shelf.changed_meanwhile": (
        (
            "Somebody, perhaps you in another tab, has saved this strategy meanwhile: it stands at another version "
            "than {expected}. Load it, compare, and save again."
        ),
        (
            "Quelqu'un, peut-être vous dans un autre onglet, a enregistré cette stratégie entre-temps : elle n'en est "
            "plus à la version {expected}. Chargez-la, comparez, et enregistrez de nouveau."
        ),
    ),
    "shelf.too_many": (
        "You keep {most} strategies already; delete one first.",
        "Vous gardez déjà {most} stratégies ; supprimez-en une d'abord.",
    ),
    "shelf.too_many_versions": (
        "This strategy has {most} versions already. Duplicate it and go on with the copy.",
        "Cette stratégie a déjà {most} versions. Dupliquez-la et continuez avec la copie.",
    ),
    "shelf.name": (
        "Give it a name of 1 to {most} characters.",
        "Donnez-lui un nom de 1 à {most} caractères.",
    ),
    "shelf.description": (
        "Describe it in at most {most} characters, without control characters.",
        "Décrivez-la en {most} caractères au plus, sans caractères de contrôle.",
    ),
    "shelf.too_long": (
        "The code may have at most {most} bytes.",
        "Le code peut avoir {most} octets au plus.",
    ),
    "shelf.too_many_lines": (
        "The code may have at most {most} lines.",
        "Le code peut avoir {most} lignes au plus.",
    ),
    "shelf.not_utf8": (
        "The code must be text in UTF-8, without null characters.",
        "Le code doit être un texte en UTF-8, sans caractères nuls.",
    ),
    "shelf.running": (
        "{name!r} is run by these bots: {bots}. Stop them first.",
        "{name!r} est utilisée par ces robots : {bots}. Arrêtez-les d'abord.",
    ),
    "shelf.draft": (
        "This version is a draft: validate it first, and correct what is found.",
        "Cette version est un brouillon : validez-la d'abord, et corrigez ce qui est signalé.",
    ),
    "shelf.code_or_sample": (
        "Give code or a sample, not both.",
        "Donnez du code ou un exemple, pas les deux.",
    ),
    "shelf.no_sample": (
        "There is no sample {name!r}. There are: {known}",
        "Il n'y a pas d'exemple {name!r}. Il y a : {known}",
    ),
    "checks.too_often": (
        "You may have code validated {most} times an hour. Try again in {minutes} min.",
        "Vous pouvez faire valider du code {most} fois par heure. Recommencez dans {minutes} min.",
    ),
    "checks.too_many_at_once": (
        "Code of yours is being validated {most} times already. Wait for one to end.",
        "{most} validations de votre code sont déjà en cours. Attendez que l'une se termine.",
    ),
    "checks.busy": (
        "The server validates as much code as it can at once. Try again in a moment.",
        "Le serveur valide autant de code qu'il le peut à la fois. Réessayez dans un instant.",
    ),
    "assistant.off": (
        "The assistant is off. Choose a provider and a model in your profile: PUT /api/v1/me/ai.",
        "L'assistant est désactivé. Choisissez un fournisseur et un modèle dans votre profil : PUT /api/v1/me/ai.",
    ),
    "assistant.no_model": (
        "No model is chosen. Choose one in your profile; GET /api/v1/assistant/models lists them.",
        "Aucun modèle n'est choisi. Choisissez-en un dans votre profil ; GET /api/v1/assistant/models les liste.",
    ),
    "assistant.no_key": (
        "This provider needs a key. Give it in your profile: PUT /api/v1/me/ai.",
        "Ce fournisseur demande une clé. Donnez-la dans votre profil : PUT /api/v1/me/ai.",
    ),
    "assistant.providers": ("Choose one of: {known}", "Choisissez parmi : {known}"),
    "assistant.url": (
        "Give an address such as https://host/v1, without user, password, query or fragment.",
        "Donnez une adresse comme https://hote/v1, sans utilisateur, mot de passe, requête ni fragment.",
    ),
    "assistant.https": (
        (
            "Use https: your key and what you ask would be readable on the way. Plain http is for an Ollama that the "
            "server's administrator allows (CAMBIST_AI_LOCAL)."
        ),
        (
            "Utilisez https : votre clé et vos demandes seraient lisibles en chemin. Le http simple est pour un Ollama "
            "que l'administrateur du serveur autorise (CAMBIST_AI_LOCAL)."
        ),
    ),
    "assistant.inside": (
        (
            "This address leads to the server itself or its private network. Only the provider ollama may be there, "
            "and only if the server's administrator allows it (CAMBIST_AI_LOCAL=true)."
        ),
        (
            "Cette adresse mène au serveur lui-même ou à son réseau privé. Seul le fournisseur ollama peut s'y "
            "trouver, et seulement si l'administrateur du serveur l'autorise (CAMBIST_AI_LOCAL=true)."
        ),
    ),
    "assistant.model": (
        "Give a model's name as the provider lists it.",
        "Donnez le nom d'un modèle tel que le fournisseur le liste.",
    ),
    "assistant.too_often": (
        "You may ask the assistant {most} times an hour. Ask again in {minutes} min.",
        "Vous pouvez solliciter l'assistant {most} fois par heure. Recommencez dans {minutes} min.",
    ),
    "assistant.too_many_at_once": (
        "The assistant is writing {most} answers for you already. Wait for one, or cancel it.",
        "L'assistant rédige déjà {most} réponses pour vous. Attendez-en une, ou annulez-la.",
    ),
    "assistant.unreachable": (
        "The assistant's service cannot be reached at {url}. Check the address, or try later.",
        "Le service de l'assistant est injoignable à {url}. Vérifiez l'adresse, ou réessayez plus tard.",
    ),
    "assistant.too_slow": (
        "The assistant's service at {url} took too long. Try again, or choose a quicker model.",
        "Le service de l'assistant à {url} a mis trop de temps. Réessayez, ou choisissez un modèle plus rapide.",
    ),
    "assistant.cut": (
        "The assistant's service broke off in the middle of its answer. Try again.",
        "Le service de l'assistant s'est interrompu au milieu de sa réponse. Réessayez.",
    ),
    "assistant.too_long": (
        "The answer of the assistant's service is too long. Ask for less, or choose another model.",
        "La réponse du service de l'assistant est trop longue. Demandez moins, ou choisissez un autre modèle.",
    ),
    "assistant.garbled": (
        "The service does not answer as OpenAI's interface does. Check the address: it often ends in /v1.",
        "Le service ne répond pas comme l'interface d'OpenAI. Vérifiez l'adresse : elle finit souvent par /v1.",
    ),
    "assistant.gave_up": (
        "The assistant's service gave up: {why}",
        "Le service de l'assistant a renoncé : {why}",
    ),
    "assistant.redirect": (
        "{url} sends us elsewhere, and we do not follow. Give the final address.",
        "{url} renvoie ailleurs, et nous ne suivons pas. Donnez l'adresse finale.",
    ),
    "assistant.key_refused": (
        "The assistant's service refuses your key. Give a valid one in your profile: PUT /api/v1/me/ai.",
        "Le service de l'assistant refuse votre clé. Donnez-en une valide dans votre profil : PUT /api/v1/me/ai.",
    ),
    "assistant.busy": (
        "The assistant's service says that it is asked too much. Try again in a while.",
        "Le service de l'assistant dit qu'il est trop sollicité. Réessayez dans un moment.",
    ),
    "assistant.failing": (
        "The assistant's service is failing (status {status}). Try again later.",
        "Le service de l'assistant est en panne (statut {status}). Réessayez plus tard.",
    ),
    "assistant.not_there": (
        "There is no such thing at {url}: check the address and the model {model!r}. {why}",
        "Rien de tel à {url} : vérifiez l'adresse et le modèle {model!r}. {why}",
    ),
    "assistant.refused": (
        "The assistant's service refuses (status {status}). {why}",
        "Le service de l'assistant refuse (statut {status}). {why}",
    ),
}
