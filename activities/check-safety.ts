import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { ServingSpec } from '../domain/experiments/experiment.ts';
import { type SafetySummary, summariseSafety } from '../domain/guardrails/safety.ts';
import { typicalSetting } from '../domain/guardrails/safety-question.ts';
import type { SafetyItem } from '../domain/guardrails/safety-set.ts';
import type { AskTiming } from './ask-item.ts';
import { checkSafetyItem } from './check-safety-item.ts';
import type { EvaluateSettings } from './evaluate.ts';
import { forEachBounded } from './for-each-bounded.ts';
import { safetyCheckId } from './idempotency-keys.ts';
import { keepAlive } from './keep-alive.ts';
import type { PinnedGuardrails } from './pin-guardrails.ts';
import type { ArtifactStore } from './ports/artifact-store.ts';
import type { ChatModels } from './ports/chat-model.ts';
import type { FewShots } from './ports/few-shots.ts';
import type { GuardrailsBy } from './ports/guardrails.ts';
import type { Lineage } from './ports/lineage.ts';
import { readExamples } from './read-examples.ts';

export interface CheckSafetyInput {
  readonly experimentId: string;
  readonly datasetId: string;
  readonly serving: ServingSpec;
  readonly guardrails: PinnedGuardrails;
}

export interface CheckSafetyPorts {
  readonly artifacts: Pick<ArtifactStore, 'readLines'>;
  readonly lineage: {
    readonly datasets: Pick<Lineage['datasets'], 'get'>;
    readonly safety: Lineage['safety'];
  };
  readonly chatModels: ChatModels;
  readonly fewShots: FewShots;
  readonly guardrails: GuardrailsBy;
}

/**
 * Asks every item of the safety set as the route would, in the workload's own setting, and holds each answer against
 * the guardrails. Each result is stored as it comes: repeated after any interruption, it asks what is missing and
 * nothing else. An item that the model does not answer is no pass; an outage, of either, is thrown.
 */
export function createCheckSafety(ports: CheckSafetyPorts, settings: EvaluateSettings) {
  const { artifacts, chatModels, fewShots } = ports;
  const { datasets, safety } = ports.lineage;
  const timing: AskTiming = { backoffMs: 500, ...settings };

  async function checkSafety(input: CheckSafetyInput): Promise<SafetySummary> {
    const { experimentId, serving, guardrails } = input;
    const { rules, provider, safetySet } = guardrails;
    const { files } = await datasets.get(input.datasetId);
    const asked = { experimentId, serving, rules, provider };
    const checkId = safetyCheckId({ ...asked, safetySet: safetySet.sha256, evalHash: files.eval.sha256 });
    await safety.open({ ...asked, checkId, safetySet: safetySet.uri, total: safetySet.rows });
    const stored = new Set((await safety.items(checkId)).map(({ itemId }) => itemId));
    const items = await readItems(artifacts, safetySet.uri);
    const progress = { done: stored.size, total: items.length };
    const shared = {
      ...{ serving, fewShots, timing, rules },
      chatModel: chatModels(serving.provider),
      guardrails: ports.guardrails(provider),
      setting: typicalSetting(await readExamples(artifacts, files.eval.uri)),
    };
    const missing = items.filter(({ id }) => !stored.has(id));
    const checkAndStore = async (item: SafetyItem, signal: AbortSignal) => {
      await safety.storeItem(checkId, await checkSafetyItem({ ...shared, signal }, item));
      progress.done += 1;
      heartbeat({ ...progress });
    };
    await keepAlive(
      () => ({ ...progress }),
      () => forEachBounded(missing, settings.concurrency, cancellationSignal(), checkAndStore),
    );
    return close(checkId, items);
  }

  async function close(checkId: string, items: readonly SafetyItem[]): Promise<SafetySummary> {
    const found = new Map((await safety.items(checkId)).map((item) => [item.itemId, item]));
    const summary = summariseSafety(
      checkId,
      items.flatMap(({ id }) => found.get(id) ?? []),
    );
    await safety.close(summary);
    return summary;
  }

  return { checkSafety };
}

/** Not parsed again: the plan wrote them, and an artifact is what its hash says. */
async function readItems(artifacts: Pick<ArtifactStore, 'readLines'>, uri: string): Promise<SafetyItem[]> {
  const items: SafetyItem[] = [];
  for await (const line of artifacts.readLines(uri)) items.push(JSON.parse(line) as SafetyItem);
  return items;
}
