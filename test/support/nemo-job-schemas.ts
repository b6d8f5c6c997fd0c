import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { z } from 'zod';
import { prepareNemoPlatform } from '../../cli/setup/nemo-platform-environment.ts';

/** How each input's schema begins, minified: its own name first. */
const inputs = /([\w$]+)=\w\(\{name:[^:]+,description:[^:]+,project:[^:]+,spec:\w\(\{name:[^:]+,model:/g;

/**
 * What the installed platform's own web client, made from the API's description, takes for a customization job, closed
 * as the API is: a field that it does not know is an error. The backends themselves are in no package.
 */
export async function customizationSchemas(): Promise<{ automodel: z.ZodType; unsloth: z.ZodType }> {
  const { python } = await prepareNemoPlatform(() => undefined);
  const [version = ''] = await readdir(join(dirname(python), '../lib'));
  const assets = join(dirname(python), '../lib', version, 'site-packages/nmp/studio/static/assets');
  const read = async (prefix: string) => {
    const file = (await readdir(assets)).find((name) => name.startsWith(prefix));
    return readFile(join(assets, file ?? prefix), 'utf8');
  };
  const code = await read('NewCustomizationRoute-');
  const zodFile = /from"\.\/(zod-[^"]+)"/.exec(code)?.[1] ?? '';
  const scope = zodScope(code, await read(zodFile));
  const found = [...code.matchAll(inputs)].map(({ index, 1: name }) => {
    const begin = code.lastIndexOf(';var ', index) + 1;
    const end = code.indexOf(';var ', index);
    return runInNewContext(`${code.slice(begin, end)};${name}`, { ...scope, RegExp }) as z.ZodType;
  });
  const automodel = found.find((schema) => shapeOf(schema)['parallelism']);
  const unsloth = found.find((schema) => shapeOf(schema)['hardware']);
  if (!automodel || !unsloth) throw new Error('the platform’s web client has changed its form');
  return { automodel, unsloth };
}

function shapeOf(schema: z.ZodType): Record<string, unknown> {
  const { spec } = (schema as z.ZodObject<{ spec: z.ZodObject }>).shape;
  return spec.shape;
}

/** What the client calls zod's functions: alias ← exported name ← zod's own. */
function zodScope(code: string, zodCode: string): Record<string, unknown> {
  const pairs = (text: string | undefined) =>
    (text ?? '').split(',').map((pair) => pair.split(' as ') as [string, string]);
  const imported = pairs(/import\{([^}]+)\}from"\.\/zod-/.exec(code)?.[1]);
  const exported = new Map(
    pairs(/export\{([^}]+)\}/.exec(zodCode)?.[1]).map(([internal, name]) => [name, internal]),
  );
  const names = new Map([...zodCode.matchAll(/(\w+):\(\)=>([\w$]+)/g)].map(([, name, own]) => [own, name]));
  const own: Record<string, unknown> = { ...z, object: z.strictObject };
  return Object.fromEntries(
    imported.map(([name, alias]) => [alias, own[names.get(exported.get(name) ?? '') ?? '']]),
  );
}
