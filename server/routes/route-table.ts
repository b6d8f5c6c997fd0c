import { setTimeout as sleep } from 'node:timers/promises';
import type { RouteLineage } from '../../activities/ports/route-lineage.ts';
import type { Route } from '../../domain/routes/route.ts';
import { type Log, reasonOf } from '../log.ts';
import { readLastKnown, writeLastKnown } from './last-known-file.ts';

export interface RouteTableOptions {
  readonly source: Pick<RouteLineage, 'all'>;
  /** Where the last-known routes are kept for a start without PostgreSQL. */
  readonly file: string;
  readonly log: Log;
  readonly refreshEveryMs?: number;
}

export interface RouteTableStatus {
  /** False until routes were read once, from PostgreSQL or from the file. */
  readonly known: boolean;
  readonly routes: number;
  /** When PostgreSQL last confirmed them; null: not since this start. */
  readonly confirmedAt: string | null;
  readonly lastError: string | null;
}

/** A move shows in all traffic within about a second; one small query a second costs PostgreSQL nothing. */
const defaultRefreshEveryMs = 1_000;
/** A request that asked for fresh routes does not wait longer than this for a database in trouble. */
const freshWaitMs = 2_000;

/**
 * Every workload's route, in memory: a request never waits for PostgreSQL. Refreshed every second or so, and
 * at once by `refresh`. In an outage the last-known routes go on serving, across a restart too.
 */
export class RouteTable {
  readonly #options: RouteTableOptions;
  #routes: ReadonlyMap<string, Route>;
  #known: boolean;
  #confirmedAt: string | null = null;
  #lastError: string | null = null;
  #saved: string;
  #running: Promise<void> | null = null;
  #queued: Promise<void> | null = null;
  readonly #stopping = new AbortController();

  private constructor(options: RouteTableOptions, lastKnown: readonly Route[] | null) {
    this.#options = options;
    this.#routes = byWorkload(lastKnown ?? []);
    this.#known = lastKnown !== null;
    this.#saved = JSON.stringify(lastKnown);
    void this.#keepFresh();
  }

  /** Returns once routes were read, or PostgreSQL had its chance to answer. */
  static async open(options: RouteTableOptions): Promise<RouteTable> {
    const table = new RouteTable(options, await readLastKnown(options.file));
    await table.refresh();
    return table;
  }

  get(workloadId: string): Route | null {
    return this.#routes.get(workloadId) ?? null;
  }

  status(): RouteTableStatus {
    return {
      known: this.#known,
      routes: this.#routes.size,
      confirmedAt: this.#confirmedAt,
      lastError: this.#lastError,
    };
  }

  /**
   * Reads the routes as they are now: a read that was under way may have missed a move, so the call waits for
   * the next one, shared by all who wait. Never throws; after a while it leaves the last-known routes in place.
   */
  async refresh(): Promise<void> {
    this.#queued ??= (this.#running ?? Promise.resolve()).then(() => {
      this.#queued = null;
      this.#running = this.#read().finally(() => {
        this.#running = null;
      });
      return this.#running;
    });
    await Promise.race([this.#queued, sleep(freshWaitMs, undefined, { ref: false })]);
  }

  close(): void {
    this.#stopping.abort();
  }

  async #keepFresh(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await sleep(this.#options.refreshEveryMs ?? defaultRefreshEveryMs, undefined, {
        signal,
        ref: false,
      }).catch(() => undefined);
      if (!signal.aborted) await this.refresh();
    }
  }

  async #read(): Promise<void> {
    try {
      const routes = await this.#options.source.all();
      if (this.#lastError !== null) this.#options.log.info('routes_back');
      this.#routes = byWorkload(routes);
      this.#known = true;
      this.#confirmedAt = new Date().toISOString();
      this.#lastError = null;
      await this.#save(routes);
    } catch (error) {
      if (this.#lastError === null) this.#options.log.warn('routes_stale', { reason: reasonOf(error) });
      this.#lastError = reasonOf(error);
    }
  }

  async #save(routes: readonly Route[]): Promise<void> {
    const text = JSON.stringify(routes);
    if (text === this.#saved) return;
    await writeLastKnown(this.#options.file, routes);
    this.#saved = text;
  }
}

function byWorkload(routes: readonly Route[]): ReadonlyMap<string, Route> {
  return new Map(routes.map((route) => [route.workloadId, route]));
}
