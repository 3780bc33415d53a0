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
    (", breakfasts (winter)", ", petits-déjeuners (hiver)"),
    (" (winter, cultural venues)", " (hiver, lieux culturels)"),
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
    (" (number not stated)", ""),
    (" (address not stated in the source)", ""),
    (
        "in turn in seven cultural venues, most of them around the Halles and the Centre Pompidou "
        "(Forum des Images, Gaîté Lyrique, Centre Pompidou, Bourse de commerce, MPAA and "
        "Médiathèque La Canopée, Lafayette Anticipations); no street stated",
        "à tour de rôle dans sept lieux culturels, surtout autour des Halles et du Centre Pompidou",
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
    "women only; night halt and day centre": "Femmes seulement",
    "women only; night halt": "Femmes seulement",
    "women only; day centre, no condition stated": "Femmes seulement ; sans condition",
    "women only (single women; mothers with children); day centre with health care": (
        "Femmes seulement, seules ou avec enfants"
    ),
    "women only, without children; unconditional": (
        "Femmes seulement, sans enfants ; inconditionnel"
    ),
    "families in great precarity": "Familles en grande précarité",
    "adults, women and men": "Adultes, femmes et hommes",
    "two day centres: isolated men (asylum seekers, refugees); families and pregnant women": (
        "Deux accueils de jour : hommes isolés (demandeurs d'asile, réfugiés) ; familles et "
        "femmes enceintes"
    ),
    "open to everyone: exiles whatever their status, residents; no accommodation": (
        "Tout public, exilés et habitants ; pas d'hébergement"
    ),
    "people living in the street; people in prostitution; open sessions": (
        "Personnes à la rue ; personnes en situation de prostitution ; permanences ouvertes"
    ),
    "homeless people": "Personnes sans abri",
    # capacity
    "20 women a session": "20 femmes par demi-journée",
    "over 300 people a day (2023-12); 150-180 men and 70-90 families (operator page, undated)": (
        "plus de 300 personnes par jour (décembre 2023) ; 150 à 180 hommes et 70 à 90 familles "
        "(page du gestionnaire, sans date)"
    ),
    "250 people an evening (winter 2024-25)": "250 personnes par soir (hiver 2024-2025)",
    "100 people": "100 personnes",
    "about 800 meals an evening (2021); 930 on an evening of August 2023": (
        "environ 800 repas par soir (2021) ; 930 un soir d'août 2023"
    ),
    "about 100 people a day": "environ 100 personnes par jour",
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
    "Aurore (with Yes We Camp)": "Aurore (avec Yes We Camp)",
    "Emmaüs Solidarité and SINGA Paris": "Emmaüs Solidarité et SINGA Paris",
    "La Chorba and Armée du Salut, for the city": "La Chorba et Armée du Salut, pour la Ville",
    "La Chorba (ASPP restaurant)": "La Chorba (restaurant de l'ASPP)",
    "La Chorba (shared premises with Restos du Cœur and L'Un est l'Autre)": (
        "La Chorba (locaux partagés avec les Restos du Cœur et L'Un est l'Autre)"
    ),
    # hours
    "5 half-days a week at opening (2020-2021)": (
        "5 demi-journées par semaine à l'ouverture (2020-2021)"
    ),
    "Tu,We,Fr 09:40-13:00,14:00-17:00; Sa 10:00-17:00; Mo,Th by appointment only (2021-12)": (
        "ma, me, ve 09:40-13:00, 14:00-17:00 ; sa 10:00-17:00 ; lu, je sur rendez-vous "
        "(décembre 2021)"
    ),
    "Mo-Fr 09:00-16:00 (Tu until 15:30), both day centres, 2021-12; men's centre Mo-Fr "
    "09:00-16:30 by the operator's page": (
        "lu-ve 09:00-16:00 (ma jusqu'à 15:30), les deux accueils, décembre 2021 ; accueil des "
        "hommes lu-ve 09:00-16:30 d'après le gestionnaire"
    ),
    "mornings and evenings (times not stated)": "matin et soir (heures non indiquées)",
    "weekdays, breakfast (times not stated)": (
        "petit-déjeuner du lundi au vendredi (heures non indiquées)"
    ),
    "mornings in winter (times not stated)": "le matin en hiver (heures non indiquées)",
    "midday and evening (2023); 6 evenings a week (2021)": (
        "midi et soir (2023) ; 6 soirs par semaine (2021)"
    ),
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
