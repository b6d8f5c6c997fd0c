import type { SplitName } from '../datasets/dataset.ts';
import type { EvaluationSummary, Strategy } from '../experiments/experiment.ts';
import type { SetAsideSummary } from '../experiments/set-aside.ts';
import type { Provenance } from '../records/provenance.ts';
import type { Licence } from './licence.ts';

/** One row of the card's table: an experiment of the same run, measured on the same items. */
export interface MeasuredExperiment {
  readonly candidate: string;
  readonly strategy: Strategy;
  readonly role: 'challenger' | 'champion';
  readonly status: string;
  readonly n: number;
  readonly failed: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface EvaluationFacts {
  readonly id: string;
  readonly n: number;
  readonly failed: number;
  readonly failures: Readonly<Record<string, number>>;
  /** Primary metric first. */
  readonly metrics: Readonly<Record<string, number>>;
  /** 95 %, of the primary metric; null where its per-item scores are not all 0 or 1. */
  readonly interval: readonly [number, number] | null;
  readonly latencyMs: EvaluationSummary['latencyMs'];
}

/** All that an adapter's model card says. */
export interface AdapterFacts {
  readonly model: string;
  readonly workload: string;
  readonly createdAt: string;
  readonly base: {
    readonly id: string;
    /** What the exported config names: a hub id, a name that was given, or the provider's id. */
    readonly reference: string;
    readonly onHub: boolean;
    readonly licence: Licence;
    /** The files of the base model's terms that lie beside the card. */
    readonly licenceFiles: readonly string[];
  };
  readonly training: {
    readonly runId: string;
    readonly jobId: string;
    readonly seed: number;
    readonly hyperparameters: Readonly<Record<string, unknown>>;
    readonly seconds: number | null;
    readonly setAside: Omit<SetAsideSummary, 'list'> | null;
  };
  readonly dataset: {
    readonly id: string;
    readonly hash: string;
    readonly splits: Readonly<Record<SplitName, number>>;
    readonly dropped: Readonly<Record<string, number>>;
  };
  readonly provenance: Provenance;
  readonly primaryMetric: string | null;
  readonly threshold: number | null;
  /** null for an adapter that was never measured to the end. */
  readonly evaluation: EvaluationFacts | null;
  /** Every experiment of the run, this one among them. */
  readonly experiments: readonly MeasuredExperiment[];
  readonly verdict: {
    readonly outcome: string;
    readonly reason: string;
    /** Whether it is about this adapter. */
    readonly won: boolean;
    readonly digest: string | null;
  } | null;
  readonly approval: {
    readonly outcome: string;
    readonly actor: string;
    readonly at: string;
    readonly override: boolean;
  } | null;
}
