#!/usr/bin/env bash
# npm opening_hours 3.15.0: the hours after midnight of "Mo-Su 20:00-08:00; PH off" are open on the
# day after a holiday, although the evening on which that night would have begun is closed.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund opening_hours@3.15.0 >/dev/null
cat > seen.cjs <<'J'
const OpeningHours = require('opening_hours');
console.log('opening_hours', require('opening_hours/package.json').version);
const paris = { lat: '48.86', lon: '2.35', address: { country_code: 'fr', state: 'Île-de-France' } };
const text = 'Mo-Su 20:00-08:00; PH off';
const hours = new OpeningHours(text, paris);
const evening = hours.getState(new Date(2026, 6, 14, 22)), night = hours.getState(new Date(2026, 6, 15, 3));
console.log(`${text}: 14 July 22:00 ${evening ? 'open' : 'closed'}, 15 July 03:00 ${night ? 'open' : 'closed'}`);
process.exit(!evening && night ? 0 : 1);
J
node seen.cjs
