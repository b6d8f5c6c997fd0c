import type { NewDataset } from '../../activities/ports/dataset-lineage.ts';
import type { ArtifactRef, Example } from '../../domain/datasets/dataset.ts';
import { defaultIcl, defaultLora } from '../../domain/experiments/defaults.ts';
import type { Candidate } from '../../domain/experiments/experiment.ts';
import { sha256 } from '../../domain/hash.ts';

export function aCandidate(overrides: Partial<Candidate> = {}): Candidate {
  return {
    name: 'nano',
    provider: 'local',
    model: 'nano-1m',
    strategies: ['base', 'icl', 'lora'],
    lora: defaultLora,
    icl: defaultIcl,
    gpuPool: 'local',
    maxTokens: 64,
    ...overrides,
  };
}

/** A question that one tool answers; `n` makes it another record. */
export function anExample(n: number, overrides: Partial<Example> = {}): Example {
  return {
    recordId: `rec_${n}`,
    group: `rec_${n}`,
    label: 'pto_balance',
    messages: [{ role: 'user', content: `how many days off do I have left (${n})` }],
    tools: [{ name: 'pto_balance' }, { name: 'payday' }],
    target: { kind: 'tool_calls', calls: [{ name: 'pto_balance', arguments: {} }] },
    ...overrides,
  };
}

function anArtifact(name: string, rows: number): ArtifactRef {
  const hash = sha256(name);
  return { uri: `artifact:sha256/${hash}`, sha256: hash, bytes: rows * 100, rows };
}

export function aDataset(
  overrides: { id?: string; hash?: string; files?: Partial<NewDataset['files']> } = {},
): NewDataset {
  return {
    summary: {
      id: overrides.id ?? 'data-1',
      hash: overrides.hash ?? sha256('data-1'),
      splits: { train: 10, validation: 2, eval: 3 },
      dropped: {},
    },
    runId: 'run-1',
    workloadId: 'hr',
    snapshotId: 'snap-1',
    seed: 1,
    files: {
      manifest: anArtifact('manifest', 1),
      train: anArtifact('train', 10),
      validation: anArtifact('validation', 2),
      trainExamples: anArtifact('trainExamples', 10),
      eval: anArtifact('eval', 3),
      ...overrides.files,
    },
  };
}
