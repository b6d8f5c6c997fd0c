import { compareText } from '../order.ts';

/** One example of the train split, ready to be put into a prompt. */
export interface IndexedExample {
  readonly recordId: string;
  /** Its class: the tool called, none, or plain chat. */
  readonly label: string;
  /** As it stands in a prompt. */
  readonly text: string;
  /** Of its last user message. All of one index have the same length. */
  readonly embedding: readonly number[];
}

export interface SimilarityOptions {
  readonly maxExamples: number;
  /** Share of the examples, in [0, 1], chosen by likeness alone; the others cover further classes first. */
  readonly relevanceShare: number;
}

/** Candidates looked at per example wanted, as the blueprint does: those further away are no neighbours. */
const neighboursPerExample = 5;

/**
 * Examples for one question: `⌊maxExamples × relevanceShare⌋` most alike, then the most alike of each class that
 * has none yet, then the next most alike. The most alike first. After the blueprint's semantic selection
 * (`icl_selection.py`), which covers tool names the same way.
 */
export function selectSimilar(
  query: readonly number[],
  index: readonly IndexedExample[],
  { maxExamples, relevanceShare }: SimilarityOptions,
): IndexedExample[] {
  const near = nearest(query, index, neighboursPerExample * maxExamples);
  const chosen = new Set(near.slice(0, Math.floor(maxExamples * relevanceShare)));
  const covered = new Set([...chosen].map(({ label }) => label));
  for (const example of near) {
    if (chosen.size >= maxExamples) break;
    if (covered.has(example.label)) continue;
    chosen.add(example);
    covered.add(example.label);
  }
  for (const example of near) {
    if (chosen.size >= maxExamples) break;
    chosen.add(example);
  }
  return near.filter((example) => chosen.has(example));
}

function nearest(
  query: readonly number[],
  index: readonly IndexedExample[],
  count: number,
): IndexedExample[] {
  return index
    .map((example) => ({ example, likeness: cosine(query, example.embedding) }))
    .sort((a, b) => b.likeness - a.likeness || compareText(a.example.recordId, b.example.recordId))
    .slice(0, count)
    .map(({ example }) => example);
}

/** In [-1, 1]; 0 where either has no direction. */
export function cosine(a: readonly number[], b: readonly number[]): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (const [at, x] of a.entries()) {
    const y = b[at] ?? 0;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb);
}
