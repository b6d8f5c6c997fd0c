/** A wished move of a workload's route. */
export interface RouteMove {
  readonly workloadId: string;
  /** Idempotency id of the move. */
  readonly moveId: string;
  readonly kind: 'promotion' | 'rollback';
  /** The run whose approved verdict is promoted; absent for a rollback. */
  readonly runId?: string;
  readonly digest?: string;
  readonly actor: string;
  readonly reason: string;
}
