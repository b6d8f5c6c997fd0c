import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');

/** One forbidden and one permitted line per folder: the linter must refuse the first and pass the second. */
const layers: readonly { file: string; forbidden: string; permitted: string }[] = [
  {
    file: 'domain/curation/x.ts',
    forbidden: `import { readFileSync } from 'node:fs'; export const x = readFileSync;`,
    permitted: `import { sha256 } from '../hash.ts'; export const x = sha256;`,
  },
  {
    file: 'domain/y.ts',
    forbidden: `import type { LogStore } from '../activities/ports/log-store.ts'; export type X = LogStore;`,
    permitted: `import { z } from 'zod'; export const x = z;`,
  },
  {
    file: 'activities/ports/x.ts',
    forbidden: `import type { Sql } from 'postgres'; export type X = Sql;`,
    permitted: `import type { Json } from '../../domain/json.ts'; export type X = Json;`,
  },
  {
    file: 'activities/deployments/x.ts',
    forbidden: `import { heartbeat } from '@temporalio/activity'; export const x = heartbeat;`,
    permitted: `import type { Deployer } from '../ports/deployer.ts'; export type X = Deployer;`,
  },
  {
    file: 'activities/x.ts',
    forbidden: `import { createTrainer } from '../integrations/openai/trainer.ts'; export const x = createTrainer;`,
    permitted: `import { heartbeat } from '@temporalio/activity'; export const x = heartbeat;`,
  },
  {
    file: 'workflows/x.ts',
    forbidden: `import { evaluate } from '../activities/evaluate.ts'; export const x = evaluate;`,
    permitted: `import type { Evaluate } from '../activities/evaluate.ts'; export type X = Evaluate;`,
  },
  {
    file: 'workflows/y.ts',
    forbidden: `import { randomUUID } from 'node:crypto'; export const x = randomUUID;`,
    permitted: `import { uuid4 } from '@temporalio/workflow'; export const x = uuid4;`,
  },
  {
    file: 'integrations/openai/x.ts',
    forbidden: `import { ApplicationFailure } from '@temporalio/common'; export const x = ApplicationFailure;`,
    permitted: `import OpenAI from 'openai'; export const x = OpenAI;`,
  },
  {
    file: 'integrations/openai/y.ts',
    forbidden: `import { evaluate } from '../../activities/evaluate.ts'; export const x = evaluate;`,
    permitted: `import type { Trainer } from '../../activities/ports/trainer.ts'; export type X = Trainer;`,
  },
  {
    file: 'integrations/http/x.ts',
    forbidden: `import { createClient } from '../openai/client.ts'; export const x = createClient;`,
    permitted: `import { UnavailableError } from '../../domain/errors.ts'; export const x = UnavailableError;`,
  },
  {
    file: 'integrations/openai/z.ts',
    forbidden: `import { removeUnused } from '../../activities/deployments/remove-unused.ts'; export const x = removeUnused;`,
    permitted: `import { sha256 } from '../../domain/hash.ts'; export const x = sha256;`,
  },
  {
    file: 'db/x.ts',
    forbidden: `import { loadConfig } from '../config/config.ts'; export const x = loadConfig;`,
    permitted: `import { eq } from 'drizzle-orm'; export const x = eq;`,
  },
  {
    file: 'config/x.ts',
    forbidden: `import { openLineage } from '../wiring/open-lineage.ts'; export const x = openLineage;`,
    permitted: `import { strategies } from '../domain/experiments/experiment.ts'; export const x = strategies;`,
  },
  {
    file: 'wiring/x.ts',
    forbidden: `import { createApp } from '../server/app.ts'; export const x = createApp;`,
    permitted: `import { createTrainer } from '../integrations/openai/trainer.ts'; export const x = createTrainer;`,
  },
  {
    file: 'workers/x.ts',
    forbidden: `import { migrate } from '../db/migrate.ts'; export const x = migrate;`,
    permitted: `import { Worker } from '@temporalio/worker'; export const x = Worker;`,
  },
  {
    file: 'server/x.ts',
    forbidden: `import { runCli } from '../cli/run-cli.ts'; export const x = runCli;`,
    permitted: `import { openLineage } from '../wiring/open-lineage.ts'; export const x = openLineage;`,
  },
  {
    file: 'cli/commands/x.ts',
    forbidden: `import { createTrainer } from '../../integrations/openai/trainer.ts'; export const x = createTrainer;`,
    permitted: `import { decideUpdate } from '../../workflows/messages.ts'; export const x = decideUpdate;`,
  },
  {
    file: 'samples/x.ts',
    forbidden: `import { loadConfig } from '../config/config.ts'; export const x = loadConfig;`,
    permitted: `import type { LogRecord } from '../domain/records/record.ts'; export type X = LogRecord;`,
  },
  {
    file: 'sdk/x.ts',
    forbidden: `import { openLogStore } from '../wiring/open-log-store.ts'; export const x = openLogStore;`,
    permitted: `import type { LogRecord } from '../domain/records/record.ts'; export type X = LogRecord;`,
  },
  {
    file: 'sdk/y.ts',
    forbidden: `import OpenAI from 'openai'; export const x = OpenAI;`,
    permitted: `import type OpenAI from 'openai'; export type X = OpenAI;`,
  },
];

interface Finding {
  readonly filename: string;
  readonly code: string;
}

describe('layers', () => {
  let dir: string;
  let findings: readonly Finding[];

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'flywheel-layers-'));
    await copyFile(join(root, '.oxlintrc.json'), join(dir, '.oxlintrc.json'));
    for (const { file, forbidden, permitted } of layers) {
      await mkdir(dirname(join(dir, file)), { recursive: true });
      await writeFile(join(dir, forbiddenName(file)), `${forbidden}\n`);
      await writeFile(join(dir, permittedName(file)), `${permitted}\n`);
    }
    findings = await lint(dir);
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it.each(layers)('$file: refuses $forbidden', ({ file }) => {
    expect(findings).toContainEqual({
      filename: forbiddenName(file),
      code: 'eslint(no-restricted-imports)',
    });
  });

  it.each(layers)('$file: passes $permitted', ({ file }) => {
    expect(findings.filter(({ filename }) => filename === permittedName(file))).toEqual([]);
  });

  it('has a case for every folder that the linter knows', async () => {
    const config = await readOverrides();

    const folders = config
      .map((glob) => glob.split('/')[0])
      .filter((folder) => folder !== 'test' && folder !== '**');

    expect(new Set(layers.map(({ file }) => file.split('/')[0]))).toEqual(new Set(folders));
  });
});

/**
 * Words of one provider's dialect, and of no idea of ours. An import rule does not see them: they come as a string
 * to compare with, a message, a comment that explains one provider where a port is meant.
 */
const dialectWords =
  /\b(nemo|nims?|nvidia|customizers?|automodel|unsloth|filesets?|virtual[- ]models?|(entity|data)[- ]stores?|vllm)\b/gi;

describe('the words of a provider', () => {
  it('are in no file of domain/, workflows/ and activities/', async () => {
    const said: string[] = [];
    let files = 0;
    for (const folder of ['domain', 'workflows', 'activities']) {
      for (const name of await readdir(join(root, folder), { recursive: true })) {
        if (!name.endsWith('.ts')) continue;
        const text = await readFile(join(root, folder, name), 'utf8');
        for (const [word] of text.matchAll(dialectWords)) said.push(`${folder}/${name}: ${word}`);
        files += 1;
      }
    }

    expect(said).toEqual([]);
    expect(files).toBeGreaterThan(100);
  });
});

function forbiddenName(file: string): string {
  return file.replace('.ts', '-forbidden.ts');
}

function permittedName(file: string): string {
  return file.replace('.ts', '-permitted.ts');
}

async function lint(cwd: string): Promise<Finding[]> {
  const oxlint = join(root, 'node_modules', '.bin', 'oxlint');
  // It exits with 1 when it finds something, which it must here.
  const { stdout } = await promisify(execFile)(oxlint, ['-f', 'json'], { cwd }).catch(
    (error: { stdout: string }) => error,
  );
  const report = JSON.parse(stdout) as { diagnostics: Finding[] };
  return report.diagnostics.map(({ filename, code }) => ({ filename, code }));
}

async function readOverrides(): Promise<string[]> {
  const { stdout } = await promisify(execFile)(
    join(root, 'node_modules', '.bin', 'oxlint'),
    ['--print-config'],
    { cwd: root, maxBuffer: 10_000_000 },
  );
  const { overrides } = JSON.parse(stdout) as { overrides: { files: string[] }[] };
  return overrides.flatMap(({ files }) => files).filter((glob) => glob.includes('/'));
}
