import type { Example } from '../domain/datasets/dataset.ts';
import type { ArtifactStore } from './ports/artifact-store.ts';

/**
 * A split's examples, whole: it is at most some thousand rows, chosen by size. Not parsed again: curation wrote
 * them, and an artifact is what its hash says.
 */
export async function readExamples(
  artifacts: Pick<ArtifactStore, 'readLines'>,
  uri: string,
): Promise<Example[]> {
  const examples: Example[] = [];
  for await (const line of artifacts.readLines(uri)) examples.push(JSON.parse(line) as Example);
  return examples;
}
