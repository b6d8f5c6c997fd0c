import { createHistogram, performance, type RecordableHistogram } from 'node:perf_hooks';
import { type Agent, request } from 'undici';

export interface Load {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Calls under way at any moment; each is followed by the next at once. */
  readonly concurrency: number;
  readonly durationMs: number;
}

/** Of one target, over all of its rounds. */
export interface Measured {
  /** Until the whole answer was there, in microseconds. */
  readonly totalUs: RecordableHistogram;
  /** Until the answer's first bytes were there, in microseconds. */
  readonly firstUs: RecordableHistogram;
  calls: number;
  elapsedMs: number;
}

export function newMeasured(): Measured {
  return { totalUs: createHistogram(), firstUs: createHistogram(), calls: 0, elapsedMs: 0 };
}

/** Adds one round. Throws at the first answer that is not a 200: a failing run has no numbers. */
export async function run(load: Load, agent: Agent, measured: Measured): Promise<void> {
  const startedMs = performance.now();
  const until = startedMs + load.durationMs;
  const caller = async () => {
    while (performance.now() < until) await call(load, agent, measured);
  };
  await Promise.all(Array.from({ length: load.concurrency }, caller));
  measured.elapsedMs += performance.now() - startedMs;
}

async function call({ url, body, headers }: Load, dispatcher: Agent, measured: Measured): Promise<void> {
  const startedMs = performance.now();
  const reply = await request(url, { method: 'POST', body, headers, dispatcher });
  let firstMs: number | null = null;
  for await (const _ of reply.body) firstMs ??= performance.now();
  const endedMs = performance.now();
  if (reply.statusCode !== 200) throw new Error(`${url} answered ${reply.statusCode}`);
  measured.totalUs.record(Math.max(1, Math.round((endedMs - startedMs) * 1000)));
  measured.firstUs.record(Math.max(1, Math.round(((firstMs ?? endedMs) - startedMs) * 1000)));
  measured.calls += 1;
}
