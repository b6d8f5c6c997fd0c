import { cancellationSignal } from '@temporalio/activity';
import { NotFoundError, UnavailableError } from '../domain/errors.ts';
import type { ServingSpec } from '../domain/experiments/experiment.ts';
import {
  type DeployModelPorts,
  type DeployTiming,
  defaultDeployTiming,
  deployModel,
} from './deploy-model.ts';
import { keepAlive } from './keep-alive.ts';
import { pause } from './pause.ts';
import type { ChatModels } from './ports/chat-model.ts';
import { sayHello } from './say-hello.ts';

export interface AwaitModelTiming {
  readonly pollMs: number;
  /** How long a reachable provider may not list the model. */
  readonly patienceMs: number;
  /** The same of one that deploys on request: it tells its servers of a new adapter every few minutes. */
  readonly deployedPatienceMs: number;
  /** How long its first answer may take. */
  readonly loadMs: number;
  readonly deployment: DeployTiming;
}

export interface AwaitModelInput {
  readonly serving: ServingSpec;
  /** For whom a model that has to be deployed stays so; absent in runs of before there were deployments. */
  readonly holder?: string;
}

/**
 * A fresh adapter is listed at once or after one reload; a name that is not there after a minute is wrong.
 * Servers load a model at its first request: billions of parameters from a cold disk take minutes.
 */
const defaultTiming: AwaitModelTiming = {
  pollMs: 1_000,
  patienceMs: 60_000,
  deployedPatienceMs: 20 * 60_000,
  loadMs: 10 * 60_000,
  deployment: defaultDeployTiming,
};

/**
 * Has the model deployed where that is needed, and waits until the provider lists it and has answered once, so
 * that no item of an evaluation is timed out by the loading of its model.
 */
export function createAwaitModel(
  ports: DeployModelPorts & { readonly chatModels: ChatModels },
  timing = defaultTiming,
) {
  async function awaitModel({ serving, holder }: AwaitModelInput): Promise<void> {
    const chatModel = ports.chatModels(serving.provider);
    const signal = cancellationSignal();
    let { patienceMs } = timing;
    let deadline = 0;
    await keepAlive(
      () => ({ waitingFor: serving.model }),
      async () => {
        if (holder && (await deployModel(ports, { serving, holder }, { timing: timing.deployment, signal })))
          patienceMs = timing.deployedPatienceMs;
        deadline = Date.now() + patienceMs;
        while (!(await isServed())) {
          if (Date.now() >= deadline) {
            throw new NotFoundError(
              `${serving.provider} does not serve ${serving.model} (waited ${patienceMs / 1000} s). ` +
                'Check the model of the candidate in candidates.yaml against GET /v1/models there.',
            );
          }
          await pause(timing.pollMs, signal);
        }
        await sayHello(chatModel, { model: serving.model, timeoutMs: timing.loadMs, signal });
      },
    );

    /** Until the deadline an unreachable provider is one that is still starting. */
    async function isServed(): Promise<boolean> {
      try {
        return await chatModel.isServed(serving.model);
      } catch (error) {
        if (error instanceof UnavailableError && Date.now() < deadline) return false;
        throw error;
      }
    }
  }
  return { awaitModel };
}
