import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare } from '../cli/setup/prepare.ts';
import { loadConfig, repositoryRoot } from '../config/config.ts';
import { Environment } from '../config/environment.ts';
import { FlywheelError } from '../domain/errors.ts';
import { pluginTestEnvironment } from './support/plugin-tests.ts';
import { type Outcome, readPytest, readVitest, unluckyFiles, withSecondAttempt } from './support/reports.ts';

/**
 * `npm test`: sets up what the tests need, runs pytest (model server, NeMo plug-in) and vitest, and ends with the line
 * `N passed, N failed` (and `, N skipped`) over both. Arguments go to vitest alone: `npm test -- test/db`.
 */
const args = process.argv.slice(2);

const isCi = process.env.CI === 'true';

/** A skip that is stated: CI has no accelerator. Any other skip fails there. */
const statedSkip = /needs a GPU/i;

async function main(): Promise<number> {
  // The tests use servers of their own, never those that the environment names.
  const { python } = await prepare(loadConfig({ env: ownSettings() }), (line) => console.error(line));
  const dir = await mkdtemp(join(tmpdir(), 'flywheel-report-'));
  try {
    const pytest = args.length === 0 ? await runPytests(python ?? 'python3', dir) : [];
    const vitest = await runVitest(dir);
    return conclude([...pytest, ...vitest]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Of Flywheel's settings only where set-up keeps things: a test must never touch a stack that is in use. */
function ownSettings(): NodeJS.ProcessEnv {
  const kept = ['FLYWHEEL_CACHE', 'FLYWHEEL_PYTHON'];
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => kept.includes(name)));
}

function testEnvironment(): NodeJS.ProcessEnv {
  const settings = Object.keys(Environment.shape);
  const others = Object.entries(process.env).filter(
    ([name]) => !settings.includes(name) && !name.startsWith('FLYWHEEL_MODEL_SERVER_'),
  );
  return { ...Object.fromEntries(others), ...ownSettings() };
}

/** The model server in its own environment, the plug-in in its platform's. */
async function runPytests(python: string, dir: string): Promise<readonly Outcome[]> {
  const modelServer = await runPytest('model-server', { python, dir });
  return [...modelServer, ...(await runPluginTests(dir))];
}

/** What cannot be set up has failed, and keeps no other test from running. */
async function runPluginTests(dir: string): Promise<readonly Outcome[]> {
  try {
    const plugin = await pluginTestEnvironment((line) => console.error(line));
    return await runPytest('nemo-peft-plugin', { ...plugin, dir });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [{ title: `nemo-peft-plugin could not be set up: ${reason}`, state: 'failed' }];
  }
}

interface PytestRun {
  readonly python: string;
  /** For its reports. */
  readonly dir: string;
  readonly env?: NodeJS.ProcessEnv;
}

function runPytest(project: string, { python, dir, env }: PytestRun): Promise<readonly Outcome[]> {
  return withSecondChance([], async (files, attempt) => {
    const report = join(dir, `${project}-${attempt}.xml`);
    const command = ['-m', 'pytest', `--junitxml=${report}`, ...files];
    const code = await run(python, command, { cwd: join(repositoryRoot, project), ...(env && { env }) });
    return readPytest(report, code);
  });
}

function runVitest(dir: string): Promise<readonly Outcome[]> {
  const vitest = join(repositoryRoot, 'node_modules', 'vitest', 'vitest.mjs');
  return withSecondChance(args, async (files, attempt) => {
    const report = join(dir, `vitest-${attempt}.json`);
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const code = await run(process.execPath, [vitest, 'run', ...reporters, ...files], {
      cwd: repositoryRoot,
    });
    return readVitest(report, code);
  });
}

/**
 * Real servers on a machine that others may be using: in CI a file that fails is run once more, from its set-up on, and
 * what failed first is said. Nowhere else: who works on it should see the first failure.
 */
async function withSecondChance(
  chosen: readonly string[],
  attempt: (files: readonly string[], attempt: 1 | 2) => Promise<readonly Outcome[]>,
): Promise<readonly Outcome[]> {
  const first = await attempt(chosen, 1);
  const unlucky = isCi ? unluckyFiles(first) : [];
  if (unlucky.length === 0) return first;
  const second = await attempt(unlucky, 2);
  for (const { title, failure = '' } of first.filter(({ state }) => state === 'failed'))
    console.log(`failed at the first attempt: ${title}\n  ${failure.split('\n', 1)[0]}`);
  return withSecondAttempt(first, second);
}

function run(
  command: string,
  commandArgs: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<number> {
  const child = spawn(command, commandArgs, { cwd, env: { ...testEnvironment(), ...env }, stdio: 'inherit' });
  // At a terminal Ctrl-C reaches the child by itself.
  const passOn = () => child.kill('SIGTERM');
  process.once('SIGTERM', passOn);
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => resolve(code ?? 1));
    child.once('error', reject);
  });
}

function conclude(outcomes: readonly Outcome[]): number {
  const count = (state: Outcome['state']) => outcomes.filter((outcome) => outcome.state === state).length;
  const unstated = outcomes.filter(({ state, title }) => state === 'skipped' && !statedSkip.test(title));
  const refused = isCi ? unstated : [];
  for (const { title } of outcomes.filter(({ state }) => state === 'failed')) console.log(`failed: ${title}`);
  for (const { title } of refused) console.log(`skipped, which CI does not accept: ${title}`);
  const failed = count('failed') + refused.length;
  const skipped = count('skipped') - refused.length;
  console.log(`${count('passed')} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return failed > 0 || count('passed') === 0 ? 1 : 0;
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof FlywheelError ? error.message : error);
  return 1;
});
