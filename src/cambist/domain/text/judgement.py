"""The word on a search's best, and its reasons."""

TEXTS: dict[str, tuple[str, str]] = {
    # the word
    "judgement.green.all": (
        "A real edge, as far as the past can show one: neither luck nor costs explain what it earned.",
        "Un avantage réel, autant que le passé puisse le montrer : ni la chance ni les frais n'expliquent ce gain.",
    ),
    "judgement.amber.some": (
        "Perhaps an edge: it is better than luck alone, but not every test is passed. Try it on paper first.",
        (
            "Un avantage, peut-être : mieux que la seule chance, mais tous les tests ne sont pas passés. "
            "Essayez d'abord sans argent réel."
        ),
    ),
    "judgement.amber.few": (
        "Too little to tell: it looks better than luck, but {trades} trades in {days} days are no proof.",
        (
            "Trop peu pour conclure : cela paraît mieux que la chance, mais {trades} trades en {days} jours "
            "ne prouvent rien."
        ),
    ),
    "judgement.red.proof": (
        "No edge can be claimed: the strategy failed its proof, so these results cannot be had in real trading.",
        "Aucun avantage démontré : la stratégie a échoué à sa preuve, ces résultats sont hors d'atteinte en réel.",
    ),
    "judgement.red.no_trades": (
        "No edge: it completed no trade, so there is nothing to judge.",
        "Aucun avantage : aucun trade n'a été mené à terme, il n'y a rien à juger.",
    ),
    "judgement.red.lost": (
        "No edge: after costs it earns nothing.",
        "Aucun avantage : frais déduits, elle ne gagne rien.",
    ),
    "judgement.red.luck": (
        "No edge: results this good are what searching finds in pure chance.",
        "Aucun avantage : des résultats de cet ordre, c'est ce qu'une recherche trouve dans le pur hasard.",
    ),
    "judgement.red.few": (
        "No edge shown: {trades} trades in {days} days are too little to tell skill from luck.",
        "Aucun avantage démontré : {trades} trades en {days} jours, c'est trop peu pour écarter la chance.",
    ),
    "judgement.red.market": (
        "No edge: a steady share of the market, without any strategy, would have done about as well.",
        "Aucun avantage : une part constante du marché, sans stratégie, aurait donné à peu près autant.",
    ),
    "judgement.red.timing": (
        "No edge: entering at random would have done about as well.",
        "Aucun avantage : entrer au hasard aurait donné à peu près autant.",
    ),
    "judgement.red.unseen": (
        "No edge: what looked good lost money on the part of the history that was held back.",
        "Aucun avantage : ce qui semblait bon a perdu de l'argent sur la partie de l'historique mise de côté.",
    ),
    # the reasons
    "judgement.why.proof": (
        "It used prices that it could not have known at the time, or forgets too soon what it needs.",
        "Elle a utilisé des prix qu'elle ne pouvait pas connaître, ou oublie trop tôt ce dont elle a besoin.",
    ),
    "judgement.why.no_trades": (
        "It completed no trade at all.",
        "Elle n'a mené aucun trade à terme.",
    ),
    "judgement.why.lost": (
        "After costs it lost {percent} % of the money.",
        "Frais déduits, elle a perdu {percent} % de l'argent.",
    ),
    "judgement.why.luck": (
        "Of {trials} combinations tried, the best would look this good by luck alone in {cases} cases of 100.",
        (
            "Sur {trials} combinaisons essayées, la meilleure paraîtrait aussi bonne par pure chance "
            "dans {cases} cas sur 100."
        ),
    ),
    "judgement.why.luck_rare": (
        "Of {trials} combinations tried, the best would look this good by luck alone in less than 1 case of 100.",
        (
            "Sur {trials} combinaisons essayées, la meilleure paraîtrait aussi bonne par pure chance "
            "dans moins de 1 cas sur 100."
        ),
    ),
    "judgement.why.luck_one": (
        "A strategy without any skill would look this good by luck alone in {cases} cases of 100.",
        "Une stratégie sans aucun talent paraîtrait aussi bonne par pure chance dans {cases} cas sur 100.",
    ),
    "judgement.why.luck_one_rare": (
        "A strategy without any skill would look this good by luck alone in less than 1 case of 100.",
        "Une stratégie sans aucun talent paraîtrait aussi bonne par pure chance dans moins de 1 cas sur 100.",
    ),
    "judgement.why.luck_of_both": (
        (
            "On what it was chosen on and on what was held back, taken together, luck alone does this well "
            "in {cases} cases of 100."
        ),
        (
            "Sur la partie où elle fut choisie et celle mise de côté, prises ensemble, la seule chance fait aussi bien "
            "dans {cases} cas sur 100."
        ),
    ),
    "judgement.why.market": (
        (
            "Of {trials} combinations tried, the best would beat a steady share of the market by this much "
            "by luck alone in {cases} cases of 100."
        ),
        (
            "Sur {trials} combinaisons essayées, la meilleure battrait d'autant une part constante du marché "
            "par pure chance dans {cases} cas sur 100."
        ),
    ),
    "judgement.why.market_rare": (
        (
            "Of {trials} combinations tried, the best would beat a steady share of the market by this much "
            "by luck alone in less than 1 case of 100."
        ),
        (
            "Sur {trials} combinaisons essayées, la meilleure battrait d'autant une part constante du marché "
            "par pure chance dans moins de 1 cas sur 100."
        ),
    ),
    "judgement.why.market_one": (
        "A strategy without skill would beat a steady share of the market by this much in {cases} cases of 100.",
        "Une stratégie sans talent battrait d'autant une part constante du marché dans {cases} cas sur 100.",
    ),
    "judgement.why.market_one_rare": (
        "A strategy without skill would beat a steady share of the market by this much in less than 1 case of 100.",
        "Une stratégie sans talent battrait d'autant une part constante du marché dans moins de 1 cas sur 100.",
    ),
    "judgement.why.timing": (
        "Of 100 strategies that enter at random as often and for as long, {cases} earn as much.",
        "Sur 100 stratégies qui entrent au hasard aussi souvent et aussi longtemps, {cases} gagnent autant.",
    ),
    "judgement.why.timing_none": (
        "Of 100 strategies that enter at random as often and for as long, not one earns as much.",
        "Sur 100 stratégies qui entrent au hasard aussi souvent et aussi longtemps, aucune ne gagne autant.",
    ),
    "judgement.why.timing_unknown": (
        "It was not compared with entering at random.",
        "Elle n'a pas été comparée à des entrées au hasard.",
    ),
    "judgement.why.unseen_earned": (
        "On the part of the history that was held back, it earned {percent} %.",
        "Sur la partie de l'historique mise de côté, elle a gagné {percent} %.",
    ),
    "judgement.why.unseen_lost": (
        "On the part of the history that was held back, it lost {percent} %.",
        "Sur la partie de l'historique mise de côté, elle a perdu {percent} %.",
    ),
    "judgement.why.unseen_idle": (
        "On the part of the history that was held back, it made no trade: nothing there speaks for it.",
        "Sur la partie de l'historique mise de côté, elle n'a fait aucun trade : rien n'y parle pour elle.",
    ),
    "judgement.why.few_trades": (
        "It made only {trades} trades: with fewer than {needed}, one lucky trade can make the result.",
        "Elle n'a fait que {trades} trades : à moins de {needed}, un seul coup de chance peut faire le résultat.",
    ),
    "judgement.why.few_days": (
        "It was tried on {days} days only: less than a year shows too few of the market's moods.",
        "Elle n'a été essayée que sur {days} jours : moins d'un an montre trop peu des humeurs du marché.",
    ),
    "judgement.why.deflated": (
        (
            "The chance that it is truly better than the luckiest of {trials} tries without skill is {cases} in 100; "
            "95 are asked for."
        ),
        (
            "La probabilité qu'elle soit vraiment meilleure que le plus chanceux de {trials} essais sans talent est de "
            "{cases} sur 100 ; il en faut 95."
        ),
    ),
    "judgement.why.deflated_unknown": (
        "It could not be held against the luckiest of all tries.",
        "Elle n'a pas pu être comparée au plus chanceux de tous les essais.",
    ),
    "judgement.why.track": (
        "After {trials} tries, a record like this must last {needed} days to rule out luck; this one lasts {days}.",
        (
            "Après {trials} essais, il faut {needed} jours d'un tel parcours pour écarter la chance ; "
            "celui-ci en compte {days}."
        ),
    ),
    "judgement.why.pbo": (
        (
            "Chosen on one half of the history, the best fell behind most others on the other half in {cases} "
            "cases of 100."
        ),
        (
            "Choisie sur une moitié de l'historique, la meilleure passe derrière la plupart des autres sur l'autre "
            "dans {cases} cas sur 100."
        ),
    ),
    "judgement.why.band": (
        (
            "With the same days in another mixture, a year would have brought between {low} % and {high} % "
            "in 9 cases of 10."
        ),
        (
            "Avec les mêmes jours mélangés autrement, une année aurait rapporté entre {low} % et {high} % "
            "dans 9 cas sur 10."
        ),
    ),
    "judgement.why.costs_earned": (
        "At twice the costs it would still have earned {percent} %.",
        "Avec des frais doublés, elle aurait encore gagné {percent} %.",
    ),
    "judgement.why.costs_lost": (
        "At twice the costs it would have lost {percent} %.",
        "Avec des frais doublés, elle aurait perdu {percent} %.",
    ),
    "judgement.why.hold_worse": (
        "It brought {percent} %; simply holding the market brought {market} %, with more ups and downs for the gain.",
        "Elle a rapporté {percent} % ; simplement détenir le marché, {market} %, avec plus de secousses pour le gain.",
    ),
    "judgement.why.hold_better": (
        "It brought {percent} %; simply holding the market brought {market} %, with fewer ups and downs for the gain.",
        "Elle a rapporté {percent} % ; simplement détenir le marché, {market} %, avec moins de secousses pour le gain.",
    ),
    "judgement.why.walk_kept": (
        "Searched anew from time to time, it kept {percent} % of its strength on the days that followed.",
        "Cherchée de nouveau de temps en temps, elle a gardé {percent} % de sa force les jours suivants.",
    ),
    "judgement.why.walk_lost": (
        "Searched anew from time to time, it kept nothing of its strength on the days that followed.",
        "Cherchée de nouveau de temps en temps, elle n'a rien gardé de sa force les jours suivants.",
    ),
    "judgement.why.walk_unknown": (
        "Searched anew from time to time, nothing did well even on the days on which it was chosen.",
        "Cherchée de nouveau de temps en temps, rien n'a réussi, même sur les jours qui servaient à choisir.",
    ),
    "judgement.why.neighbours": (
        "Combinations one step away from it reach {percent} % of its result.",
        "Les combinaisons à un pas de celle-ci atteignent {percent} % de son résultat.",
    ),
    "judgement.why.drawdown": (
        "In another order, the same trades would have lost {percent} % or more at some point 1 time in 20.",
        "Dans un autre ordre, les mêmes trades auraient perdu {percent} % ou plus à un moment 1 fois sur 20.",
    ),
}
