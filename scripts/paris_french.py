"""French for what people read of the table of facts, which is partly in English."""

from __future__ import annotations

import re

__all__ = ["in_french", "names_in_french"]

_NAMES = (
    # Parts of names and addresses that are no proper names.
    (" of the 7e (name not found)", " du 7e (nom inconnu)"),
    (
        " in the bains-douches of the 12e (name not found)",
        " des bains-douches du 12e (nom inconnu)",
    ),
    (" of the 13e (blank record)", " du 13e (fiche vide)"),
    ("Bagagerie of La Maison", "Bagagerie de La Maison"),
    (" (project)", " (projet)"),
    (" (winter)", " (hiver)"),
    ("(former site, bains-douches Charenton)", "(ancien site, bains-douches Charenton)"),
    ("(between the CNIT and the Grande Arche)", "(entre le CNIT et la Grande Arche)"),
    ("quartier des Halles; local in rue Rambuteau in 2009", "quartier des Halles"),
    ("(inside the bains-douches)", "(dans les bains-douches)"),
    (
        "(next to the bains-douches, own entrance)",
        "(à côté des bains-douches, entrée indépendante)",
    ),
    ("former ferme de Montsouris", "ancienne ferme de Montsouris"),
    (" (no street number stated)", ""),
    (" (no number stated)", ""),
    ("near the CNIT, beside a car park, La Défense", "près du CNIT, La Défense"),
    (
        "in the former metro station, opposite 31, boulevard Saint-Martin",
        "dans l'ancienne station de métro, face au 31, boulevard Saint-Martin",
    ),
    (" (address of the CHU; the restaurant's own number is not confirmed)", " (adresse du CHU)"),
)

_TEXTS = {
    # audience
    "Tout public(animaux acceptés)": "Tout public (animaux acceptés)",
    "anyone": "Tout public",
    "anyone, no distinction; locker up to 2 months": (
        "Tout public, sans distinction ; casier pour 2 mois au plus"
    ),
    "anyone; free of charge": "Tout public ; gratuit",
    "families": "Familles",
    "homeless people living in the district; users take part in running it": (
        "Personnes sans abri vivant dans le quartier ; les usagers participent à la gestion"
    ),
    "homeless people; 3 EUR a year": "Personnes sans abri ; 3 € par an",
    "mothers with children, pregnant women": "Mères avec enfants, femmes enceintes",
    "people followed by La Maison de l'Amitié": "Personnes suivies par La Maison de l'Amitié",
    "people in precarity, 1 EUR with a card": "Personnes en précarité, 1 € avec une carte",
    "referral": "Sur orientation",
    "referral by partner associations": "Sur orientation d'associations partenaires",
    "referral by partner associations; 3 months renewable once; 2 EUR": (
        "Sur orientation d'associations partenaires ; 3 mois renouvelables une fois ; 2 €"
    ),
    "referral: monthly card or day coupon from social services or partner associations; "
    "families admitted": (
        "Sur orientation : carte mensuelle ou ticket du jour des services sociaux ou "
        "d'associations partenaires ; familles admises"
    ),
    "refugees and asylum seekers": "Réfugiés et demandeurs d'asile",
    "registered homeless people, mainly of the 15e": (
        "Personnes sans abri inscrites, surtout du 15e"
    ),
    "women only; no condition": "Femmes seulement ; sans condition",
    "women only; referral by 115": "Femmes seulement ; sur orientation du 115",
    "women only; referral by SIAO, ADSF or maraudes": (
        "Femmes seulement ; sur orientation du SIAO, de l'ADSF ou des maraudes"
    ),
    "women only; referral by social services or 115": (
        "Femmes seulement ; sur orientation des services sociaux ou du 115"
    ),
    "women only; unconditional by day; pets admitted": (
        "Femmes seulement ; sans condition le jour ; animaux acceptés"
    ),
    "young people 18-25": "Jeunes de 18 à 25 ans",
    # capacity
    "15 women": "15 femmes",
    "17 beds": "17 lits",
    "200 meals": "200 repas",
    "200-250 people an evening": "200 à 250 personnes par soir",
    "25 couchettes to 50 women at night; about 100 a day announced": (
        "25 couchettes, jusqu'à 50 femmes la nuit ; environ 100 par jour annoncées"
    ),
    "34 lockers (28 closed + 6 open, 2006)": "34 casiers (28 fermés et 6 ouverts, 2006)",
    "350 meals a day (150 lunch + 200 evening)": "350 repas par jour (150 à midi, 200 le soir)",
    "450 meals a day (2011)": "450 repas par jour (2011)",
    "49 cabins (2 family, 1 wheelchair)": "49 cabines (2 familiales, 1 accessible)",
    "50 nights + 75 by day (2018); 39 places (2020 document)": (
        "50 la nuit et 75 le jour (2018) ; 39 places (document de 2020)"
    ),
    "62 cabins": "62 cabines",
    "62 lockers; laundry 6 + 6 machines": "62 casiers ; laverie de 6 + 6 machines",
    "70-100 lunches a day": "70 à 100 déjeuners par jour",
    "about 100 people a day (2020), about 200 (2025 document); 340 m2": (
        "environ 100 personnes par jour (2020), environ 200 (document de 2025) ; 340 m²"
    ),
    "about 300 women a month (2019)": "environ 300 femmes par mois (2019)",
    # operator
    "Armée du Salut and ADSF": "Armée du Salut et ADSF",
    "Emmaüs Solidarité and ADSF": "Emmaüs Solidarité et ADSF",
    "La Bagagerie Cœur du Cinq, with Secours Catholique and Ordre de Malte France": (
        "La Bagagerie Cœur du Cinq, avec le Secours catholique et l'Ordre de Malte France"
    ),
    "tiers-lieu with day centres (operator not stated)": (
        "tiers-lieu avec des accueils de jour (gestionnaire non indiqué)"
    ),
    # hours
    "09:00-13:00,14:00-17:00 or 18:00 (days not stated)": (
        "09:00-13:00, 14:00-17:00 ou 18:00 (jours non indiqués)"
    ),
    "18:00-20:00": "18:00-20:00 (jours non indiqués)",
    "24/7": "24 h sur 24, 7 jours sur 7",
    "Mo,We (times not stated)": "lu, me (heures non indiquées)",
    "Mo-Fr (times not stated)": "lu-ve (heures non indiquées)",
    "Mo-Fr lunch": "lu-ve à midi",
    "Mo-Sa 17:15-19:30 (approximate)": "lu-sa 17:15-19:30 (environ)",
    "Mo-Su 09:00-17:00 (weekends: every other one)": "lu-di 09:00-17:00 (un week-end sur deux)",
    "Mo-Su, PH open (morning and evening; exact times not stated)": (
        "lu-di et jours fériés, matin et soir (heures non indiquées)"
    ),
    "bar and events: We-Fr 18:00-23:30; Sa 11:00-00:30 (day centres' own hours not stated)": (
        "bar et événements : me-ve 18:00-23:30 ; sa 11:00-00:30 "
        "(heures des accueils de jour non indiquées)"
    ),
    "evenings": "le soir",
    "off": "fermé tous les jours",
}

_DAYS = {"Mo": "lu", "Tu": "ma", "We": "me", "Th": "je", "Fr": "ve", "Sa": "sa", "Su": "di"}
_HOURS = re.compile(r"^(?:(?:Mo|Tu|We|Th|Fr|Sa|Su)[-,]?)+ [\d:,; MoTuWeThFrSaSu()-]+$")
_LOCKERS = re.compile(r"^([\d-]+) lockers$")


def in_french(text: str) -> str:
    """Return an audience, a capacity, an operator or hours in French; other texts as they are."""
    if text in _TEXTS:
        return _TEXTS[text]
    lockers = _LOCKERS.match(text)
    if lockers:
        return f"{lockers[1]} casiers"
    if _HOURS.match(text):
        days = re.sub(r"Mo|Tu|We|Th|Fr|Sa|Su", lambda day: _DAYS[day[0]], text)
        return days.replace(";", " ;").replace(",", ", ")
    return text


def names_in_french(text: str) -> str:
    """Return a name or an address with what was added to it in French."""
    for english, french in _NAMES:
        text = text.replace(english, french)
    return text
