"""Of the commands on orders by hand."""

TEXTS: dict[str, tuple[str, str]] = {
    "order.help": (
        "Orders by hand, beside the bots: buy, sell, list, amend, cancel. Bots' budgets are not touched.",
        "Ordres à la main, à côté des robots : acheter, vendre, lister, modifier, annuler. Sans toucher aux budgets.",
    ),
    "order.buy.help": (
        "Buy at market, or with --limit or --stop; shows the figures and asks first.",
        "Acheter au marché, ou avec --limit ou --stop ; montre les chiffres et demande d'abord.",
    ),
    "order.sell.help": (
        "Sell at market, or with --limit or --stop; shows the figures and asks first.",
        "Vendre au marché, ou avec --limit ou --stop ; montre les chiffres et demande d'abord.",
    ),
    "order.option.account": ("The account that orders.", "Le compte qui passe l'ordre."),
    "order.option.quantity": ("How much, in base currency.", "Combien, en monnaie de base."),
    "order.option.amount": ("For about how much, in quote currency.", "Pour environ combien, en monnaie de cotation."),
    "order.option.limit": ("At this price or better.", "À ce prix ou mieux."),
    "order.option.stop": (
        "Becomes a market order when the price reaches this.",
        "Devient un ordre au marché quand le prix l'atteint.",
    ),
    "order.option.time_in_force": (
        "gtc: until filled or cancelled; ioc: what does not fill at once is dropped.",
        "gtc : jusqu'à exécution ou annulation ; ioc : ce qui ne s'exécute pas aussitôt tombe.",
    ),
    "order.option.reduce_only": (
        "Of perpetuals: only make a position smaller.",
        "Pour les perpétuels : seulement réduire une position.",
    ),
    "order.one_price": ("Give --limit or --stop, not both.", "Donnez --limit ou --stop, pas les deux."),
    "order.no_engine": (
        "No engine answers, so nothing was ordered: start one with `cambist up`, then order again.",
        "Aucun moteur ne répond, rien n'a donc été commandé : lancez-en un par `cambist up`, puis recommencez.",
    ),
    "order.later": (
        "No engine has answered: it is done if one runs within a minute, else never.",
        "Aucun moteur n'a répondu : ce sera fait si l'un tourne d'ici une minute, sinon jamais.",
    ),
    "order.buy.sure": ("Buy this on {account}?", "Acheter cela sur {account} ?"),
    "order.sell.sure": ("Sell this on {account}?", "Vendre cela sur {account} ?"),
    "order.not_enough": (
        "This is not enough: the order will be refused.",
        "Cela ne suffit pas : l'ordre sera refusé.",
    ),
    "order.limit": ("limit", "limite"),
    "order.stop": ("stop", "stop"),
    "order.figure.quantity": ("Quantity", "Quantité"),
    "order.figure.price": ("Price", "Prix"),
    "order.figure.last": ("Last price", "Dernier prix"),
    "order.figure.amount": ("Amount, about", "Montant, environ"),
    "order.figure.fee": ("Fee, about", "Frais, environ"),
    "order.figure.total": ("Total, about", "Total, environ"),
    "order.figure.free": ("Free", "Libre"),
    "order.list.help": ("List the orders by hand that are open.", "Lister les ordres à la main ouverts."),
    "order.cancel.help": (
        "Take back an open order by hand; what has filled stays.",
        "Reprendre un ordre à la main ouvert ; ce qui est exécuté reste.",
    ),
    "order.amend.help": (
        "Change an open order by hand: it is taken back, and what is left of it is ordered anew.",
        "Modifier un ordre à la main ouvert : il est repris, et ce qu'il en reste est repassé.",
    ),
    "order.none": (
        "No order {order} by hand is open: `cambist order list` shows those that are.",
        "Aucun ordre à la main {order} n'est ouvert : `cambist order list` montre ceux qui le sont.",
    ),
}
