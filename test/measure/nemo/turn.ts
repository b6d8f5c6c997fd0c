import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ExperimentView, RunView } from '../../../activities/ports/run-lineage.ts';
import { type OpenLineage, openLineage } from '../../../wiring/open-lineage.ts';
import type { CandidateName, Provider } from './jobs.ts';
import { type Kill, killWorkers } from './kill.ts';
import type { Stack } from './stack.ts';

export const workload = 'hr';
export const seed = 1;
const pollMs = 1_000;

export interface Turn {
  readonly view: RunView;
  readonly kills: readonly Kill[];
  /** Mean of the machine's one-minute load averages while it ran; null where it was found ended. */
  readonly meanLoad: number | null;
}

/** A run to be made: of a candidate, under a name that no other run of the measurement has. */
interface Asked {
  readonly name: string;
  readonly candidate: CandidateName;
  readonly provider: Provider;
  readonly killed: boolean;
}

/**
 * One `flywheel run` of a candidate to its end, both workers killed in the training and in the evaluation of its
 * LoRA experiment where `killed`. A run that an earlier measurement began is gone on with.
 */
export async function turn(stack: Stack, { name, candidate, provider, killed }: Asked): Promise<Turn> {
  const lineage = openLineage(stack.config);
  try {
    const runId = (await begun(lineage, name)) ?? (await begin(stack, name, candidate));
    console.error(`${name}: ${runId}`);
    const watched = await watch(lineage, runId, async (view, kills) =>
      killed && (await isTime(view, kills, provider)) ? killWorkers(stack.config, stageOf(view)) : null,
    );
    return watched;
  } finally {
    await lineage.close();
  }
}

const reasonOf = (name: string) => `measure:nemo ${name}`;

/** The newest run of this name that this measurement began, unless it failed. */
async function begun({ runs }: OpenLineage, name: string): Promise<string | null> {
  for (const { runId, status } of await runs.list(workload)) {
    if (status === 'failed' || status === 'cancelled') continue;
    if ((await runs.view(runId)).reason === reasonOf(name)) return runId;
  }
  return null;
}

async function begin(stack: Stack, name: string, candidate: CandidateName): Promise<string> {
  const printed = await stack.flywheel(
    ...['run', workload, '--seed', String(seed)],
    ...['--candidates', candidate, '--reason', reasonOf(name)],
  );
  return z.object({ runId: z.string() }).parse(printed).runId;
}

type Look = (view: RunView, kills: readonly Kill[]) => Promise<Kill | null>;

async function watch({ runs }: OpenLineage, runId: string, look: Look): Promise<Turn> {
  const kills: Kill[] = [];
  const loads: number[] = [];
  for (;;) {
    // It is recorded a moment after it was asked for.
    const view = (await runs.list(workload)).some((run) => run.runId === runId)
      ? await runs.view(runId)
      : null;
    if (view && view.status !== 'running') {
      const sum = loads.reduce((total, load) => total + load, 0);
      return { view, kills, meanLoad: loads.length > 1 ? sum / loads.length : null };
    }
    loads.push(loadavg()[0] ?? 0);
    const kill = view && (await look(view, kills));
    if (kill) {
      kills.push(kill);
      console.error(`  killed in ${kill.stage}; up again after ${kill.downSeconds.toFixed(1)} s`);
    }
    await sleep(pollMs);
  }
}

function loraOf(view: RunView): ExperimentView | undefined {
  return view.experiments.find(({ strategy }) => strategy === 'lora');
}

function stageOf(view: RunView): Kill['stage'] {
  return loraOf(view)?.stage === 'training' ? 'training' : 'evaluating';
}

/** Whether the provider is in the middle of what has not been killed yet: steps made, or an evaluation running. */
async function isTime(view: RunView, kills: readonly Kill[], provider: Provider): Promise<boolean> {
  const lora = loraOf(view);
  const isDue = (stage: Kill['stage']) =>
    lora?.stage === stage && !kills.some((kill) => kill.stage === stage);
  if (isDue('training')) {
    const { step, totalSteps } = lora?.training ?? { step: 0, totalSteps: 0 };
    return step > totalSteps / 3;
  }
  if (!isDue('evaluating')) return false;
  if (provider.evaluations === null) return (lora?.evaluated?.done ?? 0) > 0;
  // Its own job, then: those of the others have ended.
  const others = view.experiments.filter(({ strategy }) => strategy !== 'lora');
  if (!others.every(({ status }) => status === 'succeeded')) return false;
  return (await provider.evaluations(view.runId)).some(({ status }) => !endedStatuses.has(status));
}

const endedStatuses: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'error']);
