#!/usr/bin/env bash
# @turf/isobands 7.4.0 takes null for 0. Minutes of a place nobody can reach are null in JSON (Infinity
# and NaN are written so): of a grid of which one half is unreachable, the band "up to 15 minutes"
# covers all, and the unreachable half is nearest of all.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @turf/isobands@7.4.0 @turf/area@7.4.0 >/dev/null
cat > seen.cjs <<'J'
const { isobands } = require('@turf/isobands'), { area } = require('@turf/area');
const size = 10, points = [];
for (let x = 0; x < size; x++)
  for (let y = 0; y < size; y++)
    points.push({
      type: 'Feature',
      properties: { minutes: x < size / 2 ? 10 : Infinity },
      geometry: { type: 'Point', coordinates: [2.35 + x / 1000, 48.85 + y / 1000] },
    });
const grid = JSON.parse(JSON.stringify({ type: 'FeatureCollection', features: points }));
const seen = isobands(grid, [0, 5, 15], { zProperty: 'minutes' }).features.map((f) => [f.properties.minutes, area(f)]);
const all = seen.reduce((sum, [, part]) => sum + part, 0);
const shares = seen.map(([band, part]) => `${band}: ${Math.round((100 * part) / all)} %`);
const [west, south, east, north] = [2.35, 48.85, 2.359, 48.859];
const ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
const whole = area({ type: 'Polygon', coordinates: [ring] });
const share = Math.round((100 * all) / whole);
console.log('@turf/isobands', require('@turf/isobands/package.json').version, shares.join(', '));
console.log(`together ${share} % of the grid; expected: nothing below 5 minutes, and about half`);
process.exit(seen[0][1] / whole > 0.4 && all / whole > 0.99 ? 0 : 1);
J
node seen.cjs
