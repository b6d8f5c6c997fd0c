import type { Traced } from '../http/trace-headers.ts';

/** Where a NeMo Platform (v2) is, how it is entered, and what of it is ours. */
export interface NemoPlatformSettings extends Traced {
  /** The provider's name in candidates.yaml; used in error messages. */
  readonly name: string;
  /** Its root: `http://127.0.0.1:8095`. */
  readonly url: string;
  /** Everything that Flywheel makes is made here; it has to exist. */
  readonly workspace: string;
  /** A bearer token; null where the platform's authorization is off. */
  readonly apiKey: string | null;
  /**
   * The model server behind the platform's provider, without `/v1`, where it is ours: the platform's gateway does
   * not pass on the request that counts tokens.
   */
  readonly modelServer?: string;
  /** Its customization backend (`customizerOf`). */
  readonly customizer?: Customizer;
  /** Tokens that a training's row may have (`maxSeqLengthOf`). */
  readonly training?: { readonly maxSeqLength: number };
  /** After how long without a sign of life an unfinished job is taken for lost. */
  readonly lostAfterMs?: number;
}

/** The platform's own automodel and unsloth, or our PEFT plug-in (`nemo-peft-plugin`). */
export type Customizer = 'automodel' | 'unsloth' | 'peft';

/** Its own automodel unless said. */
export function customizerOf({ customizer = 'automodel' }: NemoPlatformSettings): Customizer {
  return customizer;
}

/**
 * The platform stores nothing when nothing changed, so a living job can be silent: an evaluation for as long as three
 * attempts at a row take (`request_timeout`, six minutes), any process for as long as it starts.
 */
export const defaultLostAfterMs = 600_000;
