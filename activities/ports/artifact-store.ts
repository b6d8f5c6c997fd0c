import type { ArtifactRef } from '../../domain/datasets/dataset.ts';

/** Immutable, content-addressed files. Suite: `test/contracts/artifact-store.contract.ts`. */
export interface ArtifactStore {
  /** Stores lines (without their newline), each ended by one `\n`. Whole or not at all; twice is once. */
  putLines(lines: AsyncIterable<string> | Iterable<string>): Promise<ArtifactRef>;
  putText(text: string): Promise<ArtifactRef>;
  /** Lines without their newline. Throws `NotFoundError` for an unknown uri. */
  readLines(uri: string): AsyncIterable<string>;
  readText(uri: string): Promise<string>;
}
