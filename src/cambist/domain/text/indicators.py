"""Texts: what indicators refuse."""

TEXTS: dict[str, tuple[str, str]] = {
    "indicator.lengths": (
        "Give as many values as {first} has: {length}.",
        "Donnez autant de valeurs que {first} en compte : {length}.",
    ),
    "indicator.column": (
        "Give one row of numbers.",
        "Donnez une seule suite de nombres.",
    ),
    "indicator.whole": (
        "Give a whole number from {low} to {high}.",
        "Donnez un nombre entier de {low} à {high}.",
    ),
}
