/** Vectors for texts. Suite: `test/contracts/embedder.contract.ts`. */
export interface Embedder {
  /**
   * One vector per text, in order, all of one length. Errors as of `ChatModel`; a reply with another number of
   * vectors, or of unequal lengths, is a `RejectedError`.
   */
  embed(request: EmbedRequest): Promise<readonly (readonly number[])[]>;
}

export interface EmbedRequest {
  readonly model: string;
  /** At least one, none empty. */
  readonly texts: readonly string[];
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Embedders by provider name. Throws `NotFoundError` naming the configured ones. */
export type Embedders = (provider: string) => Embedder;
