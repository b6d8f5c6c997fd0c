#!/usr/bin/env node
// The `flywheel` command: installs the npm packages when they are missing, then runs the CLI in this process.
import { checkNode, ensureNodePackages, note, SetupError } from './setup/bootstrap.js';

// `flywheel show … | head` is no error.
process.stdout.on('error', (error) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

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
