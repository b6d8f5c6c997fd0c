import { expect, test } from 'vitest';
import type { RunPlan } from '../../activities/plan-run.ts';
import { createRecordVerdict } from '../../activities/record-verdict.ts';
import type { ExperimentReport } from '../../domain/experiments/experiment.ts';
import type { Price } from '../../domain/experiments/price.ts';
import { defaultPolicy } from '../../domain/policies/policy.ts';
import { report } from '../domain/support.ts';
import { aCandidate } from '../support/experiments.ts';

const evaluated = { latencyMs: { p50: 40, p95: 120 }, tokens: { prompt: 20_000, completion: 2_000 } };
const reports = [report('base', 0.1), report('lora', 0.9, { evaluated })];

/** The verdict under a budget of $0.20 for 1,000 calls. */
async function verdictWith(listed: Price | undefined, prices: Record<string, Price>) {
  const candidate = aCandidate({ name: 'nano', ...(listed && { price: listed }) });
  const plan = {
    ...{ runId: 'run-1', workloadId: 'hr' },
    policy: { ...defaultPolicy, prices, budgets: { costPerThousandCalls: 0.2, latencyP95Ms: null } },
    experiments: reports.map(({ experimentId, role, strategy }: ExperimentReport) => ({
      ...{ experimentId, role, strategy, candidate },
    })),
  } as unknown as RunPlan;
  const lineage = {
    runs: { setStage: async () => undefined, view: async () => ({ responseSources: {} }) as never },
    decisions: { recordVerdict: async () => undefined },
  };
  const { recordVerdict } = createRecordVerdict({ lineage });
  return (await recordVerdict({ plan, datasetHash: 'd', reports })).verdict;
}

const dear = { prompt: 1, completion: 100 };
const cheap = { prompt: 1, completion: 10 };

test('a price in candidates.yaml counts where the policy has none', async () => {
  expect(await verdictWith(cheap, {})).toMatchObject({ outcome: 'promote' });
  expect(await verdictWith(dear, {})).toMatchObject({ outcome: 'hold' });
  expect(await verdictWith(undefined, {})).toMatchObject({ outcome: 'inconclusive' });
});

test('the policy’s price goes before it', async () => {
  expect(await verdictWith(dear, { nano: cheap })).toMatchObject({ outcome: 'promote' });
  expect(await verdictWith(cheap, { nano: dear })).toMatchObject({ outcome: 'hold' });
});
