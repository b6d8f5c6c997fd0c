import { readdirSync, readFileSync } from 'node:fs';
import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api';
import { expect, it } from 'vitest';

it('has a migration for everything in the schema (else: npx drizzle-kit generate)', async () => {
  const migrations = new URL('../../db/migrations/meta/', import.meta.url);
  const journal = JSON.parse(readFileSync(new URL('_journal.json', migrations), 'utf8')) as {
    entries: { idx: number }[];
  };
  const last = String(journal.entries.at(-1)?.idx).padStart(4, '0');
  const migrated = JSON.parse(readFileSync(new URL(`${last}_snapshot.json`, migrations), 'utf8'));

  const declared = generateDrizzleJson(await wholeSchema(), undefined, undefined, 'snake_case');

  expect(await generateMigration(migrated, declared)).toEqual([]);
});

async function wholeSchema(): Promise<Record<string, unknown>> {
  const folder = new URL('../../db/schema/', import.meta.url);
  const files = readdirSync(folder);
  expect(files.length).toBeGreaterThan(5);
  const modules: object[] = await Promise.all(files.map((file) => import(new URL(file, folder).href)));
  return Object.assign({}, ...modules) as Record<string, unknown>;
}
