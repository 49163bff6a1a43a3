"""Texts: errors that belong to no area."""

TEXTS: dict[str, tuple[str, str]] = {
    "error.bad_input": ("{field}: {value!r} will not do. {remedy}", "{field} : {value!r} ne convient pas. {remedy}"),
    "error.bad_field": ("{field}: {remedy}", "{field} : {remedy}"),
    "timeframe.known": (
        "Use one of: {known}",
        "Utilisez l'une de ces unités de temps : {known}",
    ),
    "number.between": (
        "Give a number from {low} to {high}.",
        "Donnez un nombre de {low} à {high}.",
    ),
    "number.needed": ("Give a number.", "Donnez un nombre."),
}
