"""What a folder of results was made from, in lines for an operator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def render_info(manifest: Mapping[str, Any], *, changed: Sequence[str] = ()) -> str:
    """Describe a run: version, dates, inputs, parameters, counts, what was left out.

    Parameters
    ----------
    manifest
        Of a folder of results.
    changed
        Files that are missing or no longer what was written.
    """
    return "\n".join(_lines(manifest, changed))


def _lines(manifest: Mapping[str, Any], changed: Sequence[str]) -> Iterator[str]:
    yield f"{manifest['area']} – {manifest['tool']} {manifest['version']}, {manifest['created']}"
    yield f"OpenStreetMap data of {manifest.get('osm_date') or 'an unknown date'}"
    yield "\nInputs"
    for source in manifest.get("inputs", []):
        facts = [source.get("source"), source.get("date"), source.get("licence")]
        told = ", ".join(str(fact) for fact in facts if fact)
        yield f"  {source['role']}: {source['file']} ({source['sha256'][:12]}) {told}".rstrip()
    for title in ("parameters", "counts"):
        yield f"\n{title.capitalize()}"
        for key, value in manifest.get(title, {}).items():
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            yield f"  {key}: {shown}"
    if manifest.get("choices"):
        yield "\nChosen among several"
    for choice in manifest.get("choices", []):
        yield f"  {choice}"
    yield "\nLeft out"
    for kind, reasons in manifest.get("dropped", {}).items():
        for reason, amount in reasons.items():
            told = (
                ", ".join(f"{number:g} {unit}" for unit, number in amount.items())
                if isinstance(amount, Mapping)
                else amount
            )
            yield f"  {kind}: {reason}: {told}"
    for kind, amount in manifest.get("withheld", {}).items():
        yield f"  withheld because discreet: {kind}: {amount}"
    yield "\n" + " · ".join(manifest.get("attribution", []))
    for name in changed:
        yield f"\nWARNING: {name} is missing or is not the file that was written."
