import { beforeEach, describe } from 'vitest';
import type { Lineage } from '../../activities/ports/lineage.ts';
import { datasetCases } from './lineage/datasets.ts';
import { decisionCases } from './lineage/decisions.ts';
import { deploymentCases } from './lineage/deployments.ts';
import { experimentCases } from './lineage/experiments.ts';
import { feedbackCases } from './lineage/feedback.ts';
import { judgementCases } from './lineage/judgements.ts';
import { policyCases } from './lineage/policies.ts';
import { recordCases } from './lineage/records.ts';
import { routeCases } from './lineage/routes.ts';
import { runCases } from './lineage/runs.ts';
import { safetyCases } from './lineage/safety.ts';

/** What every lineage does. `setup` gives an empty one. */
export function describeLineage(name: string, setup: () => Promise<Lineage>): void {
  describe(`${name} as the lineage`, () => {
    let current: Lineage;
    beforeEach(async () => {
      current = await setup();
    });

    const lineage = () => current;
    describe('runs', () => runCases(lineage));
    describe('snapshots and datasets', () => datasetCases(lineage));
    describe('experiments and evaluations', () => experimentCases(lineage));
    describe('judgements', () => judgementCases(lineage));
    describe('safety checks', () => safetyCases(lineage));
    describe('verdicts and approvals', () => decisionCases(lineage));
    describe('feedback', () => feedbackCases(lineage));
    describe('policies', () => policyCases(lineage));
    describe('records', () => recordCases(lineage));
    describe('deployments', () => deploymentCases(lineage));
    describe('routes and audit', () => routeCases(lineage));
  });
}
