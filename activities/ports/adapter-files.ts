/** A file that a provider hands out. `sha256`: of its content, hex, lower case. */
export interface AdapterFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What an adapter said in its training to one of its prompts. Token ids; natural logarithms, one per answer token. */
export interface Probe {
  readonly prompt: readonly number[];
  readonly answer: readonly number[];
  readonly logprobs: readonly number[];
}

export interface AdapterListing {
  /** What PEFT loads: weights and config, and the tokenizer where the adapter has one of its own. */
  readonly files: readonly AdapterFile[];
  readonly base: {
    /** The base model's id at the provider. */
    readonly id: string;
    /** Its id on the Hugging Face hub; null where the provider has it from elsewhere. */
    readonly hubId: string | null;
    /** What states its terms: licence, notice, model card. Never weights. */
    readonly files: readonly AdapterFile[];
  };
}

/** Reads adapters out of a provider, to be taken elsewhere. Suite: `test/contracts/adapter-files.contract.ts`. */
export interface AdapterFiles {
  /**
   * null where the provider does not let its weights be read. Throws `NotFoundError` for an adapter that it does
   * not have (any more).
   */
  list(model: string): Promise<AdapterListing | null>;
  /**
   * The record by which an adapter that is loaded elsewhere is known again; empty where none was made. It holds the
   * words of training rows, so that it is not among the files. Absent from a provider that makes none.
   */
  probes?(model: string): Promise<readonly Probe[]>;
  /** The content of a listed file of the adapter, or of its base. Throws `NotFoundError`, `UnavailableError`. */
  read(file: {
    readonly model: string;
    readonly of: 'adapter' | 'base';
    readonly name: string;
    readonly signal: AbortSignal;
  }): AsyncIterable<Uint8Array>;
}
