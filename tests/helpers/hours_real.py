"""Opening hours in the shapes in which places in France have them in OpenStreetMap.

Shapes alone: the hours are made up after what town halls, post offices, libraries, swimming pools,
charities, shelters, parks and the like usually have. No place's record is copied.
"""

from __future__ import annotations

from collections.abc import Iterator

_WEEKS = (  # half days as offices have them
    *("Mo-Fr 08:30-12:00,13:30-17:00", "Mo-Fr 09:00-12:00,14:00-17:30", "Mo-Fr 09:00-17:00"),
    *("Mo-Th 09:00-12:30,13:30-17:00; Fr 09:00-12:30,13:30-16:00", "Tu-Sa 10:00-19:00"),
    *("Mo,Tu,Th,Fr 09:00-12:00,14:00-17:00; We 09:00-12:00", "Tu-Fr 14:00-18:00; Sa 10:00-17:00"),
    *("Mo 14:00-17:00; Tu-Fr 09:00-12:00,14:00-17:00", "Mo-Sa 07:30-20:00; Su 08:00-13:00"),
    *("Mo-Fr 08:00-18:00; Sa 09:00-12:00", "We 14:00-18:00; Sa 10:00-12:00,14:00-17:00"),
    *("Tu,We,Fr 15:00-18:30; Sa 10:00-12:30", "Mo-Sa 08:00-12:30,15:00-19:30"),
    *("Mo-Fr 12:00-14:00", "Mo-Su 08:00-20:00", "Tu,Th 14:00-16:30", "Mo-Fr 11:30-13:30"),
    *("Tu-Su 10:00-18:00", "Mo-Th,Sa 09:00-12:00", "Mo,We,Fr 09:00-11:30; Tu,Th 13:30-16:00"),
)
_ENDS = (
    *("", "; PH off", "; Su,PH off", "; Sa-Su,PH off", "; Sa, Su, PH off", "; Aug off", ";"),
    *("; PH Mo-Fr off", "; Jul-Aug Mo-Fr 09:00-12:00; PH off", "; Dec 24-Jan 02 off"),
    *("; Dec 25, Jan 01, May 01 off", ' || "sur rendez-vous"', "; SH off", "; PH unknown"),
)
_ALONE = (
    "24/7", "24/7; PH off", "Mo-Su", "Mo-Fr", "off", "closed", '"sur rendez-vous"', "unknown",
    "sunrise-sunset", "dawn-dusk", "08:00-sunset", "Mo-Su 07:00-22:00", "10:00-18:00",
    "Apr-Sep 08:00-20:30; Oct-Mar 08:00-17:30",
    "Mar 01-Oct 31 08:00-19:00; Nov 01-Feb 28 08:00-17:00",
    "May-Aug: 08:00-21:30; Sep-Apr: 08:00-18:00",
    "Oct-Mar 09:00-17:30; Apr-Sep 09:00-19:00; Dec 25 off", "Oct 15-Mar 31 Mo-Su 20:00-08:00",
    "Nov 01-Mar 31 Mo-Su 19:00-08:00; PH off", "Mo-Su 20:00-08:00",
    "Mo-Fr 20:00-08:00; Sa-Su 18:00-10:00", "Mo-Fr 09:00-17:00; Sa-Su 20:00-08:00",
    "Mo 20:00-08:00; Tu 20:00-08:00; We 20:00-08:00; Th 20:00-08:00; Fr 20:00-08:00",
    "Su-Th 18:00-00:00; Fr-Sa 18:00-02:00", "Fr-Sa 18:00-02:00; Su-Th 18:00-00:00",
    "Mo-Sa 11:30-14:30,18:30-23:00", "Mo-Th 08:00-00:00; Fr-Sa 08:00-02:00; Su 10:00-00:00",
    "Tu-Sa 19:00-02:00; Su-Mo off", "Mo-Sa 17:00-02:00, Su 17:00-00:00", "Fr,Sa 23:00-05:00",
    "Mo-Su 18:00-09:00", "Mo-Su 21:00-07:00; Jul-Aug off", "Mo-Su,PH 20:00-08:00",
    "Tu[1] 09:00-12:00", "Sa[1] 10:00-12:00", "Th[1,3] 14:00-17:00", "We[-1] 14:00-16:00",
    "Mo-Fr 09:00-12:00; Sa[1] 09:00-12:00", "week 1-53/2 Tu 14:00-16:00",
    "week 2-52/2 We 09:00-12:00",
    "week 01-53/2 Mo-Fr 09:00-12:00; week 02-52/2 Mo-Fr 14:00-17:00", "week 40-18 Sa 10:00-12:00",
    "Mo-Fr 09:00-12:00; 14:00-17:00", "Mo-Fr 08:30-12:30; 13:30-17:30; PH off",
    "Mo-Fr 09:00-17:00; off", "Mo-Fr 09:00-12:00, Mo-Fr 14:00-17:00",
    "Mo-Fr 09:00-12:00, We 14:00-17:00; PH off", "Mo-Fr 09:00-17:00, SH off",
    "Mo-Fr 09:00-17:00; SH Mo-Fr 10:00-12:00", "SH Mo-Fr 09:00-18:00", "SH off; We 14:00-18:00",
    "We,Sa 14:00-18:00; SH Mo-Sa 10:00-18:00", "Mo-Fr,SH 09:00-12:00",
    "PH,SH off; Mo-Fr 08:00-18:00", "Mo-Fr 08:00-18:00; PH,SH off",
    "PH 10:00-12:00; Mo-Fr 09:00-17:00", "Su,PH 10:00-12:00", "Su, PH 10:00-12:00",
    "Mo-Sa 09:00-19:00; Su,PH 09:00-13:00", "Mo-Sa 09:00-19:00; PH Su off",
    "Mo-Sa 09:00-19:00; PH Mo-Sa 09:00-13:00", "PH Mo-Fr 09:00-12:00",
    "Mo-Fr 10:00-12:00; PH -1 day 10:00-11:00; PH off", "Mo-Fr 09:00-17:00; easter -2 days off",
    "easter +1 day off; Mo-Fr 09:00-17:00", "Mo-Sa 09:00-19:00; May 01 off",
    "Mo-Sa 09:00-19:00; Jul 14 off", "Mo-Su 09:00-19:00; Jan 1,May 1,Dec 25 off",
    "Mo-Su 09:00-19:00; Jan 01, May 01, Dec 25 off",
    "Tu-Sa 07:30-13:00; Su 08:00-12:30; Jan 1,May 1,Jul 14,Aug 15,Dec 25 off",
    "Mo-Fr 09:00-17:00; Jul,Aug Mo-Fr 09:00-13:00", "Mo-Fr 09:00-17:00; Jul, Aug off",
    "Mo-Fr 09:00-17:00; Dec 24,31 09:00-12:00",
    "Mo-Fr 09:00-17:00; Dec 24-26 off; Dec 31-Jan 01 off",
    "2026 Jun 01-2026 Sep 30 Mo-Su 10:00-19:00", "2026 Dec 20-2027 Jan 03 off; Mo-Fr 09:00-17:00",
    "2026-2027 Mo-Fr 09:00-12:00", "2027 Mo-Fr 09:00-12:00", "Jun 15-Sep 15 Mo-Su 11:00-19:00",
    "Apr-Oct", "Apr-Oct open", "Nov-Mar off; Apr-Oct 10:00-18:00",
    "Apr-Oct Tu-Su 10:00-18:00; Nov-Mar Sa-Su 14:00-17:00", "Mo-Fr 18:00+", "Fr 20:00+",
    "Mo-Fr 09:00-12:00+", "Su 10:30+", "We 14:00-17:00+", "19:00+",
    'Mo-Fr 09:00-12:00 "sur rendez-vous"', 'Mo-Fr 09:00-12:00; Sa 09:00-12:00 "sur rendez-vous"',
    'Tu 14:00-17:00 "accueil sans rendez-vous"; Th 14:00-17:00 "sur rendez-vous"',
    'Mo-Fr 09:00-12:00 open "entrée par la cour"', 'Mo-Fr 09:00-12:00; PH off "fermé"',
    "Mo-Fr 09:00-12:00 || unknown", "Mo-Fr 09:00-12:00 || off",
    'Mo-Fr 09:00-12:00,14:00-17:00 || "sur rendez-vous"',
    'Mo,We 09:00-12:00 || Fr 14:00-16:00 || "par téléphone"', "Mo-Fr 09:00-17:00 unknown; Sa off",
    "Mo-Fr 12:00-13:30,17:15-19:15; Sa 17:15-19:15", "Mo-Su 07:00-09:00,20:00-22:00",
    "Sep 16-Jul 13 Mo-Sa 11:45-12:45", "Nov 25-Mar 15 Mo,We,Fr 09:00-11:30",
    "Dec-Mar Tu,Fr 14:00-16:00", "Mo-Fr sunrise-19:00", "sunrise-20:00",
    "(sunrise+00:30)-(sunset-00:30)", "Mo-Su 09:00-dusk",
    "Mo 14:00-18:00; Tu,We 10:00-12:00,14:00-18:00; Fr 14:00-18:00; Sa 10:00-12:00",
    "Mo-Fr 7:30-20:00; Sa 8:00-20:00; Su 8:30-12:30", "mo-fr 09:00-17:00; sa 10:00-12:00",
    "Mo-Fr: 09:00-17:00", "Mo-Sa 08:00–12:30,14:00–19:00", "Mo-Fr 09:00-24:00",
    "Mo-Su 00:00-24:00", "Mo-Fr 00:00-00:00", "Mo-Fr 22:00-26:00",
    "Sa 09:00-12:00 off; Mo-Sa 09:00-18:00", "Mo-Fr 09:00-18:00; We 12:00-14:00 off",
    "Mo-Su 00:00-24:00; Tu 02:00-05:00 off", "Mo-Su 20:00-08:00; Su 00:00-12:00 off",
    "Fr-Mo 10:00-18:00", "Sa-Mo 20:00-02:00",
    "Oct Su[-1]-Mar Su[-1] 09:00-17:00; Mar Su[-1]-Oct Su[-1] 09:00-20:00",
    "Mo-Fr 09:00-17:00; PH,Sa off; Su off", "PH off; Mo-Fr 09:00-17:00",
    "PH closed; Mo-Sa 10:00-19:00", "Mo-Fr 10:00-19:00, Sa 10:00-18:00",
    "Mo-Fr 10:00-19:00, PH off", "Mo-Sa 10:00-19:00, Dec 24 10:00-16:00",
    "Su 10:30-11:30; We 18:00-18:30",
    "Mo-Sa 06:00-20:00; Su,PH 07:00-13:00; Aug Mo-Sa 07:00-13:00",
)  # fmt: skip


def real_shapes() -> list[str]:
    """Return the texts, each once."""
    return list(dict.fromkeys(_all()))


def _all() -> Iterator[str]:
    yield from _ALONE
    for week in _WEEKS:
        for end in _ENDS:
            yield week + end
