import { readFileSync } from 'node:fs';
import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api';
import { expect, it } from 'vitest';
import * as decisions from '../../db/schema/decisions.ts';
import * as deployments from '../../db/schema/deployments.ts';
import * as experiments from '../../db/schema/experiments.ts';
import * as feedback from '../../db/schema/feedback.ts';
import * as judgements from '../../db/schema/judgements.ts';
import * as runs from '../../db/schema/runs.ts';
import * as safety from '../../db/schema/safety.ts';
import * as sweeps from '../../db/schema/sweeps.ts';

it('has a migration for everything in the schema (else: npx drizzle-kit generate)', async () => {
  const migrations = new URL('../../db/migrations/meta/', import.meta.url);
  const journal = JSON.parse(readFileSync(new URL('_journal.json', migrations), 'utf8')) as {
    entries: { idx: number }[];
  };
  const last = String(journal.entries.at(-1)?.idx).padStart(4, '0');
  const migrated = JSON.parse(readFileSync(new URL(`${last}_snapshot.json`, migrations), 'utf8'));

  const declared = generateDrizzleJson(
    {
      ...runs,
      ...experiments,
      ...decisions,
      ...deployments,
      ...feedback,
      ...judgements,
      ...safety,
      ...sweeps,
    },
    undefined,
    undefined,
    'snake_case',
  );

  expect(await generateMigration(migrated, declared)).toEqual([]);
});
