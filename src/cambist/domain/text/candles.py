"""Texts: candles, their files and the lake."""

TEXTS: dict[str, tuple[str, str]] = {
    # what is refused, and why
    "candles.refused": (
        "Rows that break the rules of candles: {count}. Look at them, or drop them with --repair.",
        "Lignes qui enfreignent les règles des bougies : {count}. Regardez-les, ou écartez-les avec --repair.",
    ),
    "candles.bad_row": ("row {row}: {what}: {why}", "ligne {row} : {what} : {why}"),
    "candles.rule.cells": (
        "it has another number of cells than the others",
        "elle n'a pas le même nombre de cases que les autres",
    ),
    "candles.rule.time": ("its time cannot be read", "son heure est illisible"),
    "candles.rule.rounded": (
        "a spreadsheet rounded its time: the digits are lost",
        "un tableur a arrondi son heure : les chiffres sont perdus",
    ),
    "candles.rule.finite": (
        "a price or the volume is missing or is not a number",
        "un prix ou le volume manque ou n'est pas un nombre",
    ),
    "candles.rule.price": ("a price is zero or negative", "un prix est nul ou négatif"),
    "candles.rule.volume": ("the volume is negative", "le volume est négatif"),
    "candles.rule.high": (
        "the high is not the highest of its prices",
        "le plus haut n'est pas le plus haut de ses prix",
    ),
    "candles.rule.low": ("the low is not the lowest of its prices", "le plus bas n'est pas le plus bas de ses prix"),
    "candles.rule.grid": (
        "no candle of this timeframe opens at this time",
        "aucune bougie de cette unité de temps n'ouvre à cette heure",
    ),
    "candles.rule.order": (
        "it stands out of order",
        "elle n'est pas à sa place dans le temps",
    ),
    "candles.rule.twice": ("another row has the same time", "une autre ligne a la même heure"),
    "candles.rule.copied": (
        "it stands out of order and repeats the prices and volume of the row beside it: a copy under another time",
        "elle n'est pas à sa place et répète prix et volume de la ligne voisine : une copie sous une autre heure",
    ),
    "candles.rule.jump": (
        "a price jumps away from its neighbours and back, without the volume of a real crash",
        "un prix s'écarte de ses voisins puis revient, sans le volume d'un vrai krach",
    ),
    "candles.rule.unfinished": (
        "the last candle moves without a trade: it was saved before it closed",
        "la dernière bougie bouge sans transaction : elle a été enregistrée avant sa clôture",
    ),
    "candles.paging_faults": (
        (
            "It lacks {missing} candles in {gaps} equal gaps of {length} candles, one after every {between} candles: "
            "a faulty downloader, not outages. No repair brings candles back; fetch them again: "
            "cambist download {venue} {symbol} {timeframe}"
        ),
        (
            "Il y manque {missing} bougies en {gaps} trous égaux de {length}, un toutes les {between} bougies : "
            "un téléchargement fautif, pas des pannes. Aucune réparation ne les rend ; retéléchargez-les : "
            "cambist download {venue} {symbol} {timeframe}"
        ),
    ),
    "candles.timeframe_contradicts": (
        "It is said to hold candles of {told}, but they are {found} apart. Rename it, or give --timeframe.",
        (
            "Il est censé contenir des bougies de {told}, mais elles sont espacées de {found}. "
            "Renommez-le, ou donnez --timeframe."
        ),
    ),
    "candles.step": ("{minutes} minutes", "{minutes} minutes"),
    "candles.shifted": (
        (
            "Every row is {minutes} minutes after the open of a {timeframe} candle in UTC. Give open times in UTC; "
            "if these are closing times or another time zone, correct the column first."
        ),
        (
            "Chaque ligne est {minutes} minutes après l'ouverture d'une bougie {timeframe} en UTC. Donnez les heures "
            "d'ouverture en UTC ; s'il s'agit d'heures de clôture ou d'un autre fuseau, corrigez d'abord la colonne."
        ),
    ),
    "candles.day_or_month": (
        "Its dates can be read day first or month first. Write them as YYYY-MM-DD.",
        "Ses dates peuvent se lire jour ou mois en premier. Écrivez-les AAAA-MM-JJ.",
    ),
    "candles.many_symbols": (
        "It holds several symbols ({found}). Split it into one file for each.",
        "Il contient plusieurs symboles ({found}). Séparez-le en un fichier pour chacun.",
    ),
    "candles.symbol_contradicts": (
        "Its name says {named}, its rows say {found}. Rename it, or give --symbol.",
        "Son nom dit {named}, ses lignes disent {found}. Renommez-le, ou donnez --symbol.",
    ),
    "candles.nothing_left": (
        "No whole candle that keeps the rules is left in it.",
        "Il n'y reste aucune bougie entière qui respecte les règles.",
    ),
    "candles.unreadable": ("It cannot be read: {why}", "Il est illisible : {why}"),
    "candles.not_candles": (
        "It holds {what}, not candles.",
        "Il contient {what}, pas des bougies.",
    ),
    "candles.kind.empty": ("no rows", "aucune ligne"),
    "candles.kind.funding": ("funding rates", "des taux de financement"),
    "candles.kind.mark": ("mark prices, at which nobody trades", "des prix de référence (mark), sans transactions"),
    "candles.kind.index": ("index prices, at which nobody trades", "des prix d'indice, sans transactions"),
    "candles.kind.unknown": ("the columns {columns}", "les colonnes {columns}"),
    "candles.kind.width": ("{columns} columns without a header", "{columns} colonnes sans en-tête"),
    # what a person must say
    "candles.venue_needed": (
        "Its name does not tell the exchange. Give --venue, for example --venue binance.",
        "Son nom ne dit pas la bourse. Donnez --venue, par exemple --venue binance.",
    ),
    "candles.venue_doubtful": (
        "Its name tells of several exchanges ({found}): one of them is wrong. Give --venue.",
        "Son nom parle de plusieurs bourses ({found}) : l'une est fausse. Donnez --venue.",
    ),
    "candles.symbol_needed": (
        "Neither its name nor its rows tell the symbol. Give --symbol, for example --symbol BTC/USDT.",
        "Ni son nom ni ses lignes ne disent le symbole. Donnez --symbol, par exemple --symbol BTC/USDT.",
    ),
    "candles.symbol_form": (
        "Write BASE/QUOTE, for example BTC/USDT, or BTC/USDT:USDT for the perpetual.",
        "Écrivez BASE/COTATION, par exemple BTC/USDT, ou BTC/USDT:USDT pour le perpétuel.",
    ),
    "candles.timeframe_needed": (
        "Neither its name nor its rows tell the timeframe. Give --timeframe, for example --timeframe 1h.",
        "Ni son nom ni ses lignes ne disent l'unité de temps. Donnez --timeframe, par exemple --timeframe 1h.",
    ),
    "candles.trades_need_timeframe": (
        "It holds trades. Give --timeframe to make candles of them, for example --timeframe 1m.",
        "Il contient des transactions. Donnez --timeframe pour en faire des bougies, par exemple --timeframe 1m.",
    ),
    "candles.cannot_resample": (
        "Candles of {smaller} do not fill it exactly.",
        "Des bougies de {smaller} ne la remplissent pas exactement.",
    ),
    "candles.no_file": ("There is no file {path}", "Il n'y a pas de fichier {path}"),
    # what was done, what is worth knowing
    "candles.dropped": ("rows dropped: {count} ({why})", "lignes écartées : {count} ({why})"),
    "candles.sorted": ("rows moved: {count} ({why})", "lignes déplacées : {count} ({why})"),
    "candles.dropped.dates": (
        "times taken from the column of dates: {count} (a spreadsheet rounded those in the other column)",
        "heures reprises de la colonne des dates : {count} (un tableur a arrondi celles de l'autre colonne)",
    ),
    "candles.note.descending": ("newest first: turned round", "le plus récent d'abord : retourné"),
    "candles.note.ochl": (
        "columns in Bitfinex's order: time, open, close, high, low, volume",
        "colonnes dans l'ordre de Bitfinex : heure, ouverture, clôture, plus haut, plus bas, volume",
    ),
    "candles.note.zoneless": (
        "dates without a time zone, read as UTC",
        "dates sans fuseau horaire, lues comme UTC",
    ),
    "candles.note.month_ends": (
        "months named by their last day, moved to their first",
        "mois désignés par leur dernier jour, ramenés au premier",
    ),
    "candles.note.from_trades": (
        "made of trades: {count}; the unfinished candles at both ends are left out",
        "faites de transactions : {count} ; les bougies inachevées aux deux bouts sont écartées",
    ),
    "candles.note.gaps": (
        "absent candles: {missing} (gaps: {runs}, the longest: {longest})",
        "bougies absentes : {missing} (trous : {runs}, le plus long : {longest})",
    ),
    "candles.note.no_volume": ("there is no volume", "il n'y a pas de volume"),
    "candles.note.thin_jumps": (
        "jumps away and back in a thin market: {count}, the first at {first} UTC; kept, as such markets do this",
        "allers-retours brusques dans un marché étroit : {count}, le premier à {first} UTC ; gardés, car cela y arrive",
    ),
    "candles.note.testnet": (
        "the name says testnet: these are not prices of a market",
        "le nom dit testnet : ce ne sont pas les prix d'un marché",
    ),
    "candles.note.same_as": (
        "{share} of the closes are those of {other}: one of the two bears the wrong label",
        "{share} des clôtures sont celles de {other} : l'un des deux porte une étiquette fausse",
    ),
    "candles.note.far_from": (
        "the closes are typically {share} away from {other}: a test network, or another symbol?",
        "les clôtures sont typiquement à {share} de {other} : un réseau de test, ou un autre symbole ?",
    ),
    "candles.note.differs": (
        "of {count} candles that the lake held already, {share} closed at another price there; these replace them",
        "sur {count} bougies déjà dans le lac, {share} y clôturaient à un autre prix ; celles-ci les remplacent",
    ),
    # the lake
    "candles.none": (
        (
            "The lake holds no {timeframe} candles of {symbol} on {venue}. It holds: {there}. "
            "Get them: cambist download {venue} {symbol} {timeframe}, or cambist import FILE"
        ),
        (
            "Le lac ne contient pas de bougies {timeframe} de {symbol} sur {venue}. Il contient : {there}. "
            "Obtenez-les : cambist download {venue} {symbol} {timeframe}, ou cambist import FICHIER"
        ),
    ),
    "candles.lake_empty": (
        (
            "The lake is empty: it holds no {timeframe} candles of {symbol} on {venue}. "
            "Get them: cambist download {venue} {symbol} {timeframe}, or cambist import FILE"
        ),
        (
            "Le lac est vide : il ne contient pas de bougies {timeframe} de {symbol} sur {venue}. "
            "Obtenez-les : cambist download {venue} {symbol} {timeframe}, ou cambist import FICHIER"
        ),
    ),
    "candles.and_more": ("{there} and {more} more", "{there} et {more} autres"),
    "candles.storage": ("{path} does not obey: {why}", "{path} n'obéit pas : {why}"),
    # the commands
    "candles.import.help": (
        (
            "Bring candles from FILES into the lake.\n\n"
            "Reads Parquet, feather, CSV (also .gz and .zip) and JSON: dumps of Binance, Kraken, Bitfinex, "
            "CryptoDataDownload and freqtrade, and any table that names its columns. Columns, units, dates and "
            "timeframe are recognised; venue and symbol come from the file's name or the options. Each row is checked: "
            "a file with bad rows is refused and they are shown, the other files go on.\n\n"
            "\b\n"
            "Examples:\n"
            "  cambist import data/binance/BTC_USDT-1h.feather\n"
            "  cambist import BTCUSDT-1m-2024-*.zip --venue binance\n"
            "  cambist import my.csv --venue kraken --symbol BTC/EUR --timeframe 15m --repair"
        ),
        (
            "Verser dans le lac les bougies de FICHIERS.\n\n"
            "Lit Parquet, feather, CSV (aussi .gz et .zip) et JSON : exports de Binance, Kraken, Bitfinex, "
            "CryptoDataDownload et freqtrade, et tout tableau qui nomme ses colonnes. Colonnes, unités, dates et "
            "unité de temps sont reconnues ; bourse et symbole viennent du nom du fichier ou des options. Chaque "
            "ligne est vérifiée : un fichier aux lignes fautives est refusé et elles sont montrées, les autres "
            "continuent.\n\n"
            "\b\n"
            "Exemples :\n"
            "  cambist import data/binance/BTC_USDT-1h.feather\n"
            "  cambist import BTCUSDT-1m-2024-*.zip --venue binance\n"
            "  cambist import mes.csv --venue kraken --symbol BTC/EUR --timeframe 15m --repair"
        ),
    ),
    "candles.import.files": ("FILES...", "FICHIERS..."),
    "candles.import.venue": ("the exchange, for all files", "la bourse, pour tous les fichiers"),
    "candles.import.symbol": (
        "BTC/USDT, or BTC/USDT:USDT for the perpetual, for all files",
        "BTC/USDT, ou BTC/USDT:USDT pour le perpétuel, pour tous les fichiers",
    ),
    "candles.import.timeframe": (
        "the timeframe of the candles, or the one to make of trades",
        "l'unité de temps des bougies, ou celle à faire de transactions",
    ),
    "candles.import.repair": (
        "drop bad rows, sort, remove duplicates, and say what was done",
        "écarter les lignes fautives, trier, ôter les doublons, et dire ce qui a été fait",
    ),
    "candles.import.none": (
        "There is nothing to import: no files of a known kind in {where}.",
        "Rien à importer : aucun fichier d'un type connu dans {where}.",
    ),
    "candles.import.progress": ("importing", "importation"),
    "candles.import.done": (
        (
            "{path}: {venue} {symbol} {timeframe}, {first} → {last} UTC, {count:,} candles: {added:,} new, "
            "{replaced:,} changed"
        ),
        (
            "{path} : {venue} {symbol} {timeframe}, {first} → {last} UTC, {count:,} bougies : {added:,} nouvelles, "
            "{replaced:,} changées"
        ),
    ),
    "candles.import.refused": ("{path}: refused. {why}", "{path} : refusé. {why}"),
    "candles.import.more": ("... and {count:,} more", "... et {count:,} autres"),
    "candles.import.total": (
        "files imported: {done}, refused: {refused}; new candles: {added:,}",
        "fichiers importés : {done}, refusés : {refused} ; nouvelles bougies : {added:,}",
    ),
    "candles.list.help": (
        (
            "List the candles that the lake holds.\n\n"
            "Absent candles are outages of the exchange, minutes in which nobody traded, or a download to repeat.\n\n"
            "\b\n"
            "Examples:\n"
            "  cambist candles\n"
            "  cambist candles --json | jq '.[] | select(.missing > 0)'"
        ),
        (
            "Lister les bougies que contient le lac.\n\n"
            "Les bougies absentes sont des pannes de la bourse, des minutes sans transaction, ou un téléchargement "
            "à refaire.\n\n"
            "\b\n"
            "Exemples :\n"
            "  cambist candles\n"
            "  cambist candles --json | jq '.[] | select(.missing > 0)'"
        ),
    ),
    "candles.list.json": ("print JSON, one object per series", "afficher du JSON, un objet par série"),
    "candles.list.empty": (
        (
            "The lake is empty. Fill it: `cambist download VENUE SYMBOL TIMEFRAME`, `cambist import FILES`, "
            "or `cambist demo`, which makes candles up."
        ),
        (
            "Le lac est vide. Remplissez-le : `cambist download BOURSE SYMBOLE UNITÉ`, `cambist import FICHIERS`, "
            "ou `cambist demo`, qui invente des bougies."
        ),
    ),
    "candles.list.venue": ("venue", "bourse"),
    "candles.list.symbol": ("symbol", "symbole"),
    "candles.list.timeframe": ("timeframe", "unité"),
    "candles.list.first": ("first (UTC)", "première (UTC)"),
    "candles.list.last": ("last (UTC)", "dernière (UTC)"),
    "candles.list.count": ("candles", "bougies"),
    "candles.list.missing": ("absent", "absentes"),
    "candles.list.gaps": ("gaps", "trous"),
}
