import { setTimeout as sleep } from 'node:timers/promises';
import { findRunningStack } from '../../../cli/dev/home-claim.ts';
import type { Config } from '../../../config/config.ts';

export const workers = ['activity worker', 'workflow worker'] as const;

export interface Kill {
  readonly stage: 'training' | 'evaluating';
  /** Of the processes that were killed, as `stack.json` names them. */
  readonly services: readonly string[];
  /** RFC 3339. */
  readonly at: string;
  /** Until the stack's supervisor had all of them up again. */
  readonly downSeconds: number;
}

/** SIGKILL to both workers at once; resolves when the supervisor has started them again. */
export async function killWorkers({ home }: Config, stage: Kill['stage']): Promise<Kill> {
  const before = pidsOf(home);
  const began = Date.now();
  for (const pid of before) process.kill(pid, 'SIGKILL');
  while (pidsOf(home).some((pid) => before.includes(pid))) await sleep(200);
  return {
    ...{ stage, services: workers, at: new Date(began).toISOString() },
    downSeconds: (Date.now() - began) / 1000,
  };
}

function pidsOf(home: string): number[] {
  const stack = findRunningStack(home);
  return workers.map((name) => {
    const pid = stack?.services[name]?.pid;
    if (pid === undefined) throw new Error(`no ${name} runs for ${home}`);
    return pid;
  });
}
