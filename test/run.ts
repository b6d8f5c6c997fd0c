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
async function runPytests(python: string, dir: string): Promise<Outcome[]> {
  const modelServer = await runPytest('model-server', { python, report: join(dir, 'model-server.xml') });
  return [...modelServer, ...(await runPluginTests(join(dir, 'plugin.xml')))];
}

/** What cannot be set up has failed, and keeps no other test from running. */
async function runPluginTests(report: string): Promise<Outcome[]> {
  try {
    const plugin = await pluginTestEnvironment((line) => console.error(line));
    return await runPytest('nemo-peft-plugin', { ...plugin, report });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [{ title: `nemo-peft-plugin could not be set up: ${reason}`, state: 'failed' }];
  }
}

interface PytestRun {
  readonly python: string;
  readonly report: string;
  readonly env?: NodeJS.ProcessEnv;
}

async function runPytest(project: string, { python, report, env }: PytestRun): Promise<Outcome[]> {
  const command = ['-m', 'pytest', `--junitxml=${report}`];
  const code = await run(python, command, { cwd: join(repositoryRoot, project), ...(env && { env }) });
  return readPytest(report, code);
}

/**
 * Real servers on a machine that others may be using: in CI a file that fails is run once more, from its set-up on, and
 * what its first failures were is said. Nowhere else: who works on it should see the first failure.
 */
async function runVitest(dir: string): Promise<readonly Outcome[]> {
  const first = await runVitestOnce(args, join(dir, 'vitest.json'));
  const unlucky = isCi ? unluckyFiles(first) : [];
  if (unlucky.length === 0) return first;
  const second = await runVitestOnce(unlucky, join(dir, 'vitest-again.json'));
  for (const { title, failure = '' } of first.filter(({ state }) => state === 'failed'))
    console.log(`failed at the first attempt: ${title}\n  ${failure.split('\n', 1)[0]}`);
  return withSecondAttempt(first, second);
}

async function runVitestOnce(chosen: readonly string[], report: string): Promise<readonly Outcome[]> {
  const vitest = join(repositoryRoot, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await run(process.execPath, [vitest, 'run', ...reporters, ...chosen], { cwd: repositoryRoot });
  return readVitest(report, code);
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
