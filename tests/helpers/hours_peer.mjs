// States of opening hours by the community's evaluator (npm opening_hours), for comparison.
// stdin: {"folder": where node_modules is, "texts": [...], "moments": ["2026-06-15T10:10", ...]}
// stdout: one word a text, a letter a moment: c closed, u unknown, o open; "!" if it refuses a text.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const asked = JSON.parse(readFileSync(0, 'utf8'));
const OpeningHours = createRequire(asked.folder + '/').call(null, 'opening_hours');
const paris = {
    lat: '48.86', lon: '2.35',
    address: { country_code: 'fr', state: 'Île-de-France' },
};
const moments = asked.moments.map((text) => new Date(text));
const words = asked.texts.map((text) => {
    try {
        const hours = new OpeningHours(text, paris, { mode: 0, locale: 'en' });
        return moments
            .map((at) => (hours.getState(at) ? 'o' : hours.getUnknown(at) ? 'u' : 'c'))
            .join('');
    } catch {
        return '!';
    }
});
process.stdout.write(JSON.stringify(words));
