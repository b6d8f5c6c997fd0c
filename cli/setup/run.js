#!/usr/bin/env node
// `npm run setup`, `npm test`, `npm run python -- …`: sets up what is missing, then hands over to TypeScript.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { checkNode, ensureNodePackages, note, root, SetupError } from './bootstrap.js';

const entries = {
  setup: 'cli/setup/main.ts',
  test: 'test/run.ts',
  python: 'cli/setup/run-python.ts',
};

const [task = 'setup', ...args] = process.argv.slice(2);

try {
  const entry = entries[task];
  if (!entry) throw new SetupError(`Unknown task "${task}"; known are: ${Object.keys(entries).join(', ')}.`);
  checkNode();
  await ensureNodePackages();
  handOver(entry);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  note(error.message);
  process.exitCode = 1;
}

function handOver(entry) {
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, entry), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  // At a terminal Ctrl-C reaches the child by itself; it decides how to end, and we wait for it.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
}
