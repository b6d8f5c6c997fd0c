import type { DroppedCounts, SplitName } from '../../domain/datasets/dataset.ts';
import type { ServingSpec, Strategy } from '../../domain/experiments/experiment.ts';
import type { Route } from '../../domain/routes/route.ts';
import type { FeedbackCounts } from './feedback.ts';

export interface RouteLineage {
  get(workloadId: string): Promise<Route | null>;
  all(): Promise<readonly Route[]>;
  /**
   * Moves the route. Idempotent by `moveId`: a second call returns the route that the first made.
   * `previous` becomes what was served before; for a `restore`, what stood behind the route before the move
   * that it undoes. Without a `runId`, digest and run are those of the promotion that served the same before.
   * With `expectedVersion` a route that moved meanwhile is a `ConflictError`.
   */
  move(move: {
    moveId: string;
    workloadId: string;
    serving: ServingSpec | null;
    digest: string | null;
    runId: string | null;
    kind: 'promotion' | 'rollback' | 'restore';
    actor: string;
    reason: string;
    expectedVersion?: number;
  }): Promise<Route>;
  /** The route that a move made, or null. */
  findMove(moveId: string): Promise<Route | null>;
  /** From the route back to each record: route ← approval ← verdict ← experiment ← job ← dataset ← records. */
  trace(workloadId: string): Promise<LineageTrace>;
}

export interface LineageTrace {
  readonly workload: string;
  readonly route: {
    readonly version: number;
    readonly model: string;
    readonly since: string;
    readonly digest: string | null;
  } | null;
  readonly approval: {
    readonly actor: string;
    readonly reason: string;
    readonly at: string;
    readonly override: boolean;
  } | null;
  readonly run: {
    readonly runId: string;
    readonly startedAt: string;
    readonly verdict: string | null;
  } | null;
  readonly experiment: {
    readonly candidate: string;
    readonly strategy: Strategy;
    readonly evaluationId: string | null;
  } | null;
  readonly adapter: {
    readonly model: string;
    readonly baseModel: string;
    readonly jobId: string;
    readonly key: string;
  } | null;
  readonly dataset: {
    readonly id: string;
    readonly hash: string;
    readonly manifest: string;
    readonly snapshotId: string;
    /** Records that it left out, by reason; the manifest lists them. */
    readonly dropped: DroppedCounts;
  } | null;
  readonly records: Readonly<Record<SplitName, readonly string[]>>;
  /** How much feedback of each kind there is on those records, once there is any. */
  readonly feedback?: FeedbackCounts;
}
