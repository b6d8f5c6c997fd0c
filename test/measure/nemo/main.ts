import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { repositoryRoot } from '../../../config/config.ts';
import {
  defaultOptions,
  type NemoServer,
  startNemoServer,
} from '../../contract-servers/nemo-microservices/server.ts';
import { trainingsAt } from './adapter-bytes.ts';
import { answersOf } from './answers.ts';
import { differences, type Measured, problemsOf, type Row, toRow } from './compare.ts';
import { type CandidateName, providersOf } from './jobs.ts';
import { type Stack, startStack } from './stack.ts';
import { turn, workload } from './turn.ts';

/**
 * `npm run measure:nemo`: `flywheel run` on CLINC150's `work` with the same model, settings, rows and seed through
 * the model server, the real NeMo Platform and the contract server of NeMo Microservices v1, each with both workers
 * killed in training and in evaluation; and undisturbed, to compare with. Ends with 1 when there is a second job anywhere, another dataset or
 * another verdict. Goes on where it was cut off, but for v1, whose server keeps its jobs in memory.
 */
const { values } = parseArgs({
  options: {
    home: { type: 'string', default: '.flywheel/measure-nemo' },
    'port-offset': { type: 'string', default: '3000' },
    data: { type: 'string', default: '../shared/data/clinc150/data_full.json' },
    // Of the runs below, comma-separated.
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

/** One run. `decay` names the undisturbed one by the decay that the provider makes of the candidate's. */
interface Comparison {
  readonly name: string;
  readonly candidate: CandidateName;
  readonly decay: string;
  readonly killed: boolean;
}

/** In this order: a run comes after those that it is compared with. */
const comparisons: readonly Comparison[] = [
  { name: 'model-server', candidate: 'model-server', decay: 'model-server', killed: false },
  { name: 'model-server-killed', candidate: 'model-server', decay: 'model-server', killed: true },
  { name: 'nemo-platform', candidate: 'nemo-platform', decay: 'model-server', killed: true },
  { name: 'cosine', candidate: 'model-server-cosine', decay: 'cosine', killed: false },
  { name: 'nemo-v1', candidate: 'nemo-v1', decay: 'cosine', killed: true },
];

async function main(): Promise<void> {
  const home = resolve(repositoryRoot, values.home);
  const stack = await startStack({ home, portOffset: Number(values['port-offset']) });
  const nemoV1 = await startNemoServer(
    // A real NIM looks for adapters every one to three minutes; two seconds spare the wait.
    { ...defaultOptions, modelServerUrl: stack.config.modelServer.url, refreshMs: 2_000 },
    stack.nemoV1Port,
  );
  try {
    await stack.flywheel(
      ...['import', resolve(repositoryRoot, values.data), '--format', 'clinc150', '--domain', 'work'],
      ...['--workload', workload, '--client', 'c1'],
    );
    const measured = new Map<string, Measured>();
    for (const comparison of comparisons) {
      const found = await measureOnce(stack, nemoV1, comparison);
      if (found) measured.set(comparison.name, found);
    }
    report(measured);
  } finally {
    await nemoV1.close();
  }
}

/** From an earlier measurement's file where there is one; null for what is neither there nor asked for. */
async function measureOnce(
  stack: Stack,
  nemoV1: NemoServer,
  { name, candidate, killed }: Comparison,
): Promise<Measured | null> {
  const dir = join(stack.config.home, 'measured');
  const file = join(dir, `${name}.json`);
  if (existsSync(file)) return JSON.parse(await readFile(file, 'utf8')) as Measured;
  if (values.only !== undefined && !values.only.split(',').includes(name)) return null;
  const provider = providersOf(stack.config, nemoV1.url)[candidate];
  const { view, ...rest } = await turn(stack, { name, candidate, provider, killed });
  const { runId } = view;
  const trainings = await provider.trainings(runId);
  const answers = await answersOf(stack.config, runId);
  const measured: Measured = {
    ...rest,
    view,
    trainings,
    evaluations: (await provider.evaluations?.(runId)) ?? null,
    modelServerTrainings: await trainingsAt(stack.config.modelServer.url, {
      runId,
      jobs: trainings.map(({ id }) => id),
    }),
    answers: Object.fromEntries([...answers].map(([strategy, of]) => [strategy, [...of]])),
  };
  await mkdir(dir, { recursive: true });
  await writeFile(file, `${JSON.stringify(measured, null, 2)}\n`);
  return measured;
}

function report(measured: ReadonlyMap<string, Measured>): void {
  const problems: string[] = [];
  const rows: Row[] = [];
  for (const { name, decay, killed } of comparisons) {
    const run = measured.get(name);
    if (!run) continue;
    problems.push(...problemsOf(name, run, killed));
    const references = { modelServer: measured.get('model-server'), sameDecay: measured.get(decay) };
    if (killed) problems.push(...differences(name, run, references));
    rows.push(toRow(name, run, references));
  }
  const machine = {
    ...{ cores: cpus().length, cpu: cpus()[0]?.model ?? 'unknown', node: process.version },
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
  };
  if (values.json) console.log(JSON.stringify({ machine, rows, problems }, null, 2));
  else printTable(rows, problems);
  if (problems.length > 0) process.exitCode = 1;
}

function printTable(rows: readonly Row[], problems: readonly string[]): void {
  console.table(
    rows.map(({ scores, sameAnswers, kills, trainSeconds, runSeconds, meanLoad, ...row }) => ({
      ...row,
      scores: Object.entries(scores)
        .map(([strategy, score]) => `${strategy} ${score.toFixed(3)}`)
        .join(', '),
      'same answers': Object.entries(sameAnswers)
        .map(([strategy, text]) => `${strategy} ${text}`)
        .join(', '),
      killed: kills.join(', '),
      'train s': trainSeconds?.toFixed(0) ?? '–',
      'run s': runSeconds.toFixed(0),
      load: meanLoad?.toFixed(1) ?? '–',
    })),
  );
  for (const problem of problems) console.log(problem);
}

await main();
