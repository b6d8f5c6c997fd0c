#!/usr/bin/env node
// The `flywheel` command: installs the npm packages when they are missing, then runs the CLI in this process.
import { checkNode, ensureNodePackages, note, SetupError } from './setup/bootstrap.js';

try {
  checkNode();
  await ensureNodePackages();
  const { register } = await import('tsx/esm/api');
  register();
  await import('./main.ts');
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  note(error.message);
  process.exitCode = 1;
}
