import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '../../../domain/errors.ts';

/** 20–33 s on an idle machine, of which importing its packages is most; a first start compiles them. */
const startTimeoutMs = 300_000;

/** They wait for the jobs service, which answers by then. */
const loopsWithinMs = 60_000;

/** Those that Flywheel uses. The `models` controller cannot run as published, hence models are registered by us. */
export const services = [
  ...['auth', 'models', 'files', 'inference-gateway', 'jobs', 'secrets', 'entities'],
  ...['guardrails', 'evaluator', 'customization'],
];

/** Loops without which jobs stay `created` for ever. `/status` does not miss them: it lists what runs. */
const jobLoops = ['job_scheduler', 'job_reconciler'];

/** `error`: it could not be started at all. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: Error;
}

/**
 * Resolves once all services answer and the loops run that start jobs. Throws `UnavailableError` saying what is
 * missing.
 */
export async function untilReady(
  url: string,
  exited: Promise<Exit>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  let exit: Exit | undefined;
  void exited.then((how) => {
    exit = how;
  });
  let lacks = ['an answer'];
  let onlyLoopsSince = Number.POSITIVE_INFINITY;
  while (Date.now() < deadline) {
    signal?.throwIfAborted();
    if (exit?.error) throw new UnavailableError(`NeMo Platform cannot be started: ${exit.error.message}.`);
    if (exit) throw new UnavailableError(`NeMo Platform ended while starting (${exit.signal ?? exit.code}).`);
    lacks = await lacking(url);
    if (lacks.length === 0) return;
    const onlyLoops = lacks.every((name) => jobLoops.includes(name));
    onlyLoopsSince = onlyLoops ? Math.min(onlyLoopsSince, Date.now()) : Number.POSITIVE_INFINITY;
    if (Date.now() - onlyLoopsSince > loopsWithinMs) throw deadController(lacks);
    await sleep(500);
  }
  throw new UnavailableError(
    `NeMo Platform is not ready after ${startTimeoutMs / 1000} s; it lacks ${lacks.join(', ')}.`,
  );
}

function deadController(missing: readonly string[]): UnavailableError {
  return new UnavailableError(
    `NeMo Platform calls itself healthy, but runs no ${missing.join(' and no ')}: no job of it would ever start.`,
  );
}

interface Status {
  readonly services: { readonly ready: readonly string[] };
  readonly controllers: { readonly status: Readonly<Record<string, boolean>> };
}

/** What is not up yet: services, and the loops that run jobs. */
async function lacking(url: string): Promise<string[]> {
  try {
    const reply = await fetch(`${url}/status`, { signal: AbortSignal.timeout(10_000) });
    if (!reply.ok) return [`an answer (${reply.status})`];
    const status = (await reply.json()) as Status;
    return [
      ...services.filter((name) => !status.services.ready.includes(name)),
      ...jobLoops.filter((name) => status.controllers.status[name] === undefined),
    ];
  } catch {
    return ['an answer'];
  }
}
