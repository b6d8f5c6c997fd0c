import { RejectedError } from '../../domain/errors.ts';

/** Vectors for texts. Suite: `test/contracts/embedder.contract.ts`. */
export interface Embedder {
  /**
   * One vector per text, in order, all of one length. Errors as of `ChatModel`; a reply with another number of
   * vectors, or of unequal lengths, is a `RejectedError`; so is a text that is too long (see `isTooLong`), which
   * is never cut.
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

/** The embedder's context does not hold a text, or not all of these together. */
export function isTooLong(error: unknown): boolean {
  return error instanceof RejectedError && error.code === 'context_length_exceeded';
}

/** Embedders by provider name. Throws `NotFoundError` naming the configured ones. */
export type Embedders = (provider: string) => Embedder;
