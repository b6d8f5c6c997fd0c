import { InvalidInputError } from '../errors.ts';
import { Clinc150Domains, Clinc150File } from './clinc150.schema.ts';
import { goldRecord, labelTools, routingMessages } from './gold.ts';
import type { Importer, ImportSource } from './importer.ts';
import { readJson } from './read-json.ts';

const splits = [
  'train',
  'val',
  'test',
  'oos_train',
  'oos_val',
  'oos_test',
] as const satisfies (keyof Clinc150File)[];

/**
 * CLINC150 (Larson et al. 2019): questions with a gold intent. The domain's intents are the tools that every
 * request offers, in alphabetical order; all out-of-scope questions are added as "no tool".
 */
export const clinc150: Importer = {
  description:
    'CLINC150 data_full.json with domains.json beside it; --domain picks whose intents are the tools',
  example: 'data_full.json --format clinc150 --domain work --workload hr --client c1',

  async *read(source, options) {
    const file = readJson(await source.text(), Clinc150File, 'data_full.json of CLINC150');
    const intents = await readIntents(source, options.domain);
    const tools = labelTools(intents);
    const wanted = new Set([...intents, 'oos']);
    let line = 0;
    for (const split of splits) {
      for (const [question, intent] of file[split]) {
        line += 1;
        if (!wanted.has(intent)) continue;
        const calls = intent === 'oos' ? [] : [{ name: intent, arguments: {} }];
        const dataset = { name: 'clinc150', domain: options.domain ?? null, split, intent };
        yield goldRecord({ line, messages: routingMessages(question), tools, calls, dataset }, options);
      }
    }
  },
};

async function readIntents(source: ImportSource, domain: string | undefined): Promise<string[]> {
  const text = await source.sibling('domains.json');
  if (text === null) {
    throw new InvalidInputError('domains.json was not found; it must lie beside the CLINC150 data file.');
  }
  const domains = readJson(text, Clinc150Domains, 'domains.json of CLINC150');
  const intents = domain === undefined ? undefined : domains[domain];
  if (intents !== undefined) return intents;
  const found = domain === undefined ? 'No domain was given' : `CLINC150 has no domain "${domain}"`;
  throw new InvalidInputError(`${found}; pass --domain with one of: ${Object.keys(domains).join(', ')}.`);
}
