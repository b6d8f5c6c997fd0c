import type { SafetyReport } from '../guardrails/safety.ts';
import type { JudgeSummary } from '../judging/judge.ts';
import type { Price } from './price.ts';

export const strategies = ['base', 'icl', 'lora'] as const;
/** How a candidate is used: as it is, with few-shot examples in its prompt, or fine-tuned by LoRA. */
export type Strategy = (typeof strategies)[number];

/** Hyperparameters of a LoRA fine-tuning. The defaults are the blueprint's (`defaultLora`). */
export interface LoraHyperparameters {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly schedule: 'linear' | 'cosine' | 'constant';
  readonly warmupRatio: number;
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  /** Module names that get an adapter; the trainer's default for the architecture when absent. */
  readonly targetModules?: readonly string[];
}

export interface IclSettings {
  /** At most so many few-shot examples, fewer when the context is full. */
  readonly maxExamples: number;
  /** Tokens kept free for the answer. */
  readonly reservedTokens: number;
  /** Chooses examples per question by likeness; absent, the same ones, spread over the classes, serve all. */
  readonly similarity?: Similarity;
}

/** How like questions are found. */
export interface Similarity {
  /** Who embeds: a configured provider and a model of its. */
  readonly provider: string;
  readonly model: string;
  /** Share of the examples, in [0, 1], chosen by likeness alone; the others cover further classes first. */
  readonly relevanceShare: number;
}

/** A base model that might take over: one entry of `candidates.yaml`, defaults filled in. */
export interface Candidate {
  /** Its name in Flywheel; unique, kebab-case. */
  readonly name: string;
  /** Which configured provider serves it, and trains it unless there is a `trainer`. */
  readonly provider: string;
  readonly trainer?: string;
  /** Its id at the provider. */
  readonly model: string;
  readonly strategies: readonly Strategy[];
  readonly lora: LoraHyperparameters;
  readonly icl: IclSettings;
  /** Pool whose devices its training needs: task queue `gpu:<pool>`. */
  readonly gpuPool: string;
  /** Longest answer asked for, in tokens; part of how the route will serve it. */
  readonly maxTokens: number;
  /** Prompt and answer together, in tokens; absent where only the server knows. */
  readonly context?: number;
  /** What its tokens cost; a workload's policy may say otherwise. */
  readonly price?: Price;
}

/** Which configured provider fine-tunes the candidate. */
export function trainerOf({ trainer, provider }: Pick<Candidate, 'trainer' | 'provider'>): string {
  return trainer ?? provider;
}

/** Exactly what a route sends traffic to, and exactly what an evaluation asks: the two never differ. */
export interface ServingSpec {
  readonly provider: string;
  readonly model: string;
  /**
   * Few-shot text appended to the system message (strategy `icl`), or, with `similarity`, the index to choose it
   * from; null for the other strategies.
   */
  readonly fewShotUri: string | null;
  readonly similarity?: Similarity & { readonly maxExamples: number };
  readonly maxTokens: number;
}

export interface ExperimentSpec {
  readonly experimentId: string;
  /** `champion` measures what the route serves today on the same items; it cannot win. */
  readonly role: 'challenger' | 'champion';
  readonly candidate: Candidate;
  readonly strategy: Strategy;
  /** Given for the champion: what to ask. Made by the experiment for a challenger. */
  readonly serving?: ServingSpec;
}

export type ExperimentStage = 'waiting' | 'preparing' | 'training' | 'evaluating' | 'checking' | 'done';
export type ExperimentStatus = 'pending' | 'running' | 'succeeded' | 'failed' | 'cancelled';

/** What is computed from an evaluation's per-item scores. Shares are in [0, 1]. */
export interface EvaluationSummary {
  readonly evaluationId: string;
  /** Items asked, failures included: a failure is a wrong answer, never a missing row. */
  readonly n: number;
  /** Items without a usable answer: the sum of `failures`. */
  readonly failed: number;
  /** Counts by kind: `timeout`, `refusal`, `unparsable`, `too_long`, `provider_error`. */
  readonly failures: Readonly<Record<string, number>>;
  /** Primary metric first. */
  readonly metrics: Readonly<Record<string, number>>;
  /** `of`: the answers that it was measured on, where that is a sample of them. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly of?: number } | null;
  readonly tokens: { readonly prompt: number; readonly completion: number };
  /** Absent where the workload has no judge. */
  readonly judge?: JudgeSummary;
}

/** One experiment's outcome. A failed experiment is data, not an exception. */
export interface ExperimentReport {
  readonly experimentId: string;
  readonly role: 'challenger' | 'champion';
  readonly candidate: string;
  readonly strategy: Strategy;
  readonly status: 'succeeded' | 'failed';
  readonly serving: ServingSpec | null;
  readonly evaluation: EvaluationSummary | null;
  readonly trainSeconds?: number;
  /** How its answers fared against the workload's guardrails; absent where it has none, or there was nothing to ask. */
  readonly safety?: SafetyReport;
  /** Where and why it failed. */
  readonly failure?: { readonly stage: ExperimentStage; readonly reason: string };
}
