import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { migrateDatabases } from '../../wiring/migrate-databases.ts';
import { registerLocalModels } from '../../wiring/nemo-platform.ts';
import { prepare } from '../setup/prepare.ts';
import { embeddedServices } from './embedded-services.ts';
import { claimHome, type HomeClaim } from './home-claim.ts';
import { ownServices } from './own-services.ts';
import { requireFreePorts } from './ports.ts';
import type { Service } from './service.ts';
import { type Supervised, supervise } from './supervise.ts';

export interface StackOptions {
  readonly config: Config;
  /** What happens, one line at a time, for people. */
  readonly log: (line: string) => void;
  /** Aborted while starting: what runs already is stopped, and the start rejects. */
  readonly signal?: AbortSignal;
}

/** A running stack: the embedded servers, the workers and the gateway, kept alive until `stop`. */
export interface Stack {
  /** Ends everything in order, dependants first. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts everything that the configuration does not take from elsewhere, and resolves once all of it answers:
 *
 *     Temporal, PostgreSQL, model server, NeMo Platform → migrations, models registered → workers, gateway
 *
 * Throws `ConflictError` when a port is taken or another copy runs for this home, and leaves nothing running
 * when it throws.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { config, log, signal = new AbortController().signal } = options;
  const logsDir = join(config.home, 'logs');
  // First of all, so that a second copy is refused and `stop` finds this one, while it still sets up.
  const claim = await claimHome(config.home, config.portOffset, log);
  const stack = new RunningStack(claim, log);
  try {
    await requireFreePorts(config);
    const tools = await prepare(config, log, signal);
    signal.throwIfAborted();
    mkdirSync(logsDir, { recursive: true });
    await stack.start(embeddedServices(config, tools, logsDir), signal);
    await migrateDatabases(config);
    await registerLocalModels(config, config.nemoPlatform);
    signal.throwIfAborted();
    await stack.start(ownServices(config, childEnvironment(config), logsDir), signal);
    claim.setReady();
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

class RunningStack implements Stack {
  readonly #claim: HomeClaim;
  readonly #log: (line: string) => void;
  /** In the order of starting, group by group. */
  readonly #groups: Supervised[][] = [];
  #stopped: Promise<void> | null = null;

  constructor(claim: HomeClaim, log: (line: string) => void) {
    this.#claim = claim;
    this.#log = log;
  }

  /** Starts services that do not need each other. When one cannot start, the first failure is thrown. */
  async start(services: readonly Service[], signal: AbortSignal): Promise<void> {
    const group: Supervised[] = [];
    this.#groups.push(group);
    const starts = await Promise.allSettled(
      services.map(async (service) => group.push(await this.#supervise(service, signal))),
    );
    const failed = starts.find((start) => start.status === 'rejected');
    if (failed) throw failed.reason;
    signal.throwIfAborted();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  #supervise(service: Service, signal: AbortSignal): Promise<Supervised> {
    const startedAt = Date.now();
    this.#log(`Starting the ${service.name}…`);
    const onStarted = (_: Service, pid: number) => this.#claim.setService(service.name, pid);
    return supervise(service, { log: this.#log, onStarted }, signal).then((supervised) => {
      this.#log(`The ${service.name} answers after ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`);
      return supervised;
    });
  }

  async #stopAll(): Promise<void> {
    for (const group of this.#groups.toReversed()) {
      await Promise.allSettled(group.map((supervised) => supervised.stop()));
    }
    this.#claim.release();
  }
}

/** The children read the configuration themselves; these two make it the same one. */
function childEnvironment(config: Config): NodeJS.ProcessEnv {
  return {
    ...process.env,
    FLYWHEEL_HOME: config.home,
    FLYWHEEL_PORT_OFFSET: String(config.portOffset),
  };
}
