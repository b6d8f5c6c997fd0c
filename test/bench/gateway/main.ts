import { cpus, loadavg, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Agent } from 'undici';
import type { LogStore } from '../../../activities/ports/log-store.ts';
import { type Measured, newMeasured, run } from './load.ts';
import { startServers } from './servers.ts';

/**
 * `npm run bench:gateway`: what the gateway adds to a call, with logging on, against the bare upstream, in one
 * run. Both are asked in turns, round by round, so that whatever else the machine does hits both alike.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '4' },
    concurrency: { type: 'string', default: '1,16' },
    // A folder for the gateway's CPU profile; what is measured is then slower by the profiling.
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const workload = 'bench';
const tools = ['order_status', 'refund', 'change_address', 'opening_hours', 'speak_to_agent'].map((name) => ({
  type: 'function',
  function: {
    name,
    description: `Use it whenever the customer asks about ${name.replaceAll('_', ' ')}, in whatever words.`,
    parameters: { type: 'object', properties: { order: { type: 'string' }, reason: { type: 'string' } } },
  },
}));

function bodyOf(stream: boolean): string {
  const system = 'You answer for a shop. Be brief, be kind, and use a tool where one fits. '.repeat(8);
  const messages = [
    { role: 'system', content: system },
    { role: 'user', content: 'Where is the order that I placed last week?' },
  ];
  return JSON.stringify({ model: 'bench', stream, messages, tools });
}

interface Row {
  readonly mode: 'whole' | 'stream';
  readonly concurrency: number;
  readonly bare: Figures;
  readonly gateway: Figures;
}

interface Figures {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly firstP50Ms: number;
  readonly firstP99Ms: number;
}

function figuresOf({ totalUs, firstUs, calls, elapsedMs }: Measured): Figures {
  const ms = (us: number) => us / 1000;
  return {
    requestsPerSecond: (calls / elapsedMs) * 1000,
    p50Ms: ms(totalUs.percentile(50)),
    p99Ms: ms(totalUs.percentile(99)),
    firstP50Ms: ms(firstUs.percentile(50)),
    firstP99Ms: ms(firstUs.percentile(99)),
  };
}

async function main(): Promise<void> {
  const servers = await startServers(values.profile);
  const rows: Row[] = [];
  let logged = 0;
  try {
    for (const mode of ['whole', 'stream'] as const)
      for (const concurrency of values.concurrency.split(',').map(Number)) {
        const measured = await measure(servers, mode, concurrency);
        logged += measured.logged;
        rows.push({ mode, concurrency, ...measured.figures });
      }
    const stored = await storedOf(servers.logStore, logged);
    report(rows, { logged, stored });
    // A gateway that is quick because it loses records would be no gateway.
    if (stored !== logged) process.exitCode = 1;
  } finally {
    await servers.stop();
  }
}

async function measure(
  { upstream, gateway }: { upstream: string; gateway: string },
  mode: Row['mode'],
  concurrency: number,
): Promise<{ figures: Pick<Row, 'bare' | 'gateway'>; logged: number }> {
  const agent = new Agent({ connections: concurrency });
  const [bare, through, warm] = [newMeasured(), newMeasured(), newMeasured()];
  const load = { concurrency, body: bodyOf(mode === 'stream'), durationMs: Number(values.seconds) * 1000 };
  const headers = { 'content-type': 'application/json' };
  const toUpstream = { ...load, headers, url: `${upstream}/v1/chat/completions` };
  const toGateway = {
    ...load,
    headers: { ...headers, 'x-workload-id': workload, 'x-client-id': 'bench' },
    url: `${gateway}/v1/chat/completions`,
  };
  // The compilers need a moment; nobody restarts a gateway for each call.
  await run({ ...toUpstream, durationMs: 1_000 }, agent, newMeasured());
  await run({ ...toGateway, durationMs: 2_000 }, agent, warm);
  for (let round = 0; round < Number(values.rounds); round += 1) {
    await run(toUpstream, agent, bare);
    await run(toGateway, agent, through);
  }
  await agent.close();
  return {
    figures: { bare: figuresOf(bare), gateway: figuresOf(through) },
    logged: through.calls + warm.calls,
  };
}

/** How many records have reached the log store, once no more come. */
async function storedOf(logStore: LogStore, expected: number): Promise<number> {
  let stored = -1;
  for (let quiet = 0; quiet < 20; await sleep(500)) {
    const [summary] = await logStore.workloads();
    const now = summary?.records ?? 0;
    quiet = now === stored ? quiet + 1 : 0;
    stored = now;
    if (stored === expected) break;
  }
  return stored;
}

function report(rows: readonly Row[], records: { logged: number; stored: number }): void {
  const machine = {
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    loadAverage: loadavg()[0],
  };
  if (values.json) {
    console.log(JSON.stringify({ machine, rounds: values.rounds, records, rows }, null, 2));
    return;
  }
  console.log(
    `${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, Node ${machine.node}, load ${machine.loadAverage?.toFixed(1)}; load generator, gateway, upstream and PostgreSQL share it.`,
  );
  console.log(`Logging on: ${records.logged} calls logged, ${records.stored} records in the log store.\n`);
  console.table(rows.map(rowOf));
}

function rowOf({ mode, concurrency, bare, gateway }: Row): Record<string, string | number> {
  const ms = (value: number) => Number(value.toFixed(2));
  const times = (through: number, alone: number) => `${(through / alone).toFixed(2)}×`;
  return {
    mode,
    concurrency,
    'bare req/s': Math.round(bare.requestsPerSecond),
    'gateway req/s': Math.round(gateway.requestsPerSecond),
    'req/s ratio': times(gateway.requestsPerSecond, bare.requestsPerSecond),
    'bare P50 ms': ms(bare.p50Ms),
    'added P50 ms': ms(gateway.p50Ms - bare.p50Ms),
    'bare P99 ms': ms(bare.p99Ms),
    'added P99 ms': ms(gateway.p99Ms - bare.p99Ms),
    'added to first byte P50 ms': ms(gateway.firstP50Ms - bare.firstP50Ms),
  };
}

await main();
