import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from '../../config/config.ts';
import { preparePython } from './python-environment.ts';

/** `npm run python -- ARGS`: runs the model server's Python in its folder, set up if need be. */
const python = await preparePython((line) => console.error(line));
const { status } = spawnSync(python, process.argv.slice(2), {
  cwd: join(repositoryRoot, 'model-server'),
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
