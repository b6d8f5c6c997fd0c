import type { Traced } from '../http/trace-headers.ts';

/** Where a NeMo Microservices v1 installation is, and what is ours there. */
export interface NemoSettings extends Traced {
  /** The provider's name in candidates.yaml; used in error messages. */
  readonly name: string;
  /** The platform's ingress, without a path: Entity Store, Customizer, Evaluator, Deployment Management. */
  readonly url: string;
  /** The NIM proxy, without `/v1`. It cannot be the platform's host: `GET /v1/models` means two things. */
  readonly nimUrl: string;
  /** The Data Store, without `/v1`. */
  readonly dataStoreUrl: string;
  /** Everything that Flywheel makes is in this namespace, which it makes itself. */
  readonly namespace: string;
  /** Sent as a bearer token where an ingress wants one; a default installation has none. */
  readonly apiKey: string | null;
}

/** Hardware and limits of a training, as a customization config states them. */
export interface TrainingSettings {
  /** Rows that are longer are cut by the service. The blueprint's default. */
  readonly maxSeqLength: number;
  readonly numGpus: number;
  readonly microBatchSize: number;
  readonly precision: 'int8' | 'bf16' | 'fp16' | 'fp32' | 'fp8-mixed' | 'bf16-mixed';
}

/** The blueprint's. */
export const defaultTraining: TrainingSettings = {
  maxSeqLength: 8192,
  numGpus: 1,
  microBatchSize: 1,
  precision: 'bf16-mixed',
};

/** The container that serves a base model, where Flywheel has to deploy it. */
export interface NimImage {
  /** Registry and path, such as `nvcr.io/nim/meta/llama-3.2-1b-instruct`. */
  readonly image: string;
  readonly tag: string;
  readonly gpus: number;
  /** Size of the volume for its weights, such as `25Gi`; the service's default when absent. */
  readonly volumeSize?: string;
  readonly env?: Readonly<Record<string, string>>;
}
