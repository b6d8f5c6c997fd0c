import { z } from 'zod';
import type { GuardrailPolicy, GuardrailRequest, Guardrails } from '../../activities/ports/guardrails.ts';
import { RejectedError } from '../../domain/errors.ts';
import { madeByDescription, referenceText, toReference } from './names.ts';
import type { NemoPlatformSettings } from './settings.ts';
import { createTransport, type Transport } from './transport.ts';

/** Rails without a model answer within a second; those with one take as long as it does. */
const checkTimeoutMs = 60_000;

const Verdict = z
  .object({
    status: z.string(),
    rails_status: z.record(z.string(), z.object({ status: z.string() })),
  })
  .transform(({ status, rails_status: rails }) => {
    const blocked = Object.entries(rails).find(([, rail]) => rail.status === 'blocked');
    return {
      allowed: status === 'success',
      rule: status === 'success' ? null : (blocked?.[0] ?? status),
      detail:
        Object.entries(rails)
          .map(([rail, said]) => `${rail}: ${said.status}`)
          .join(', ') || null,
    };
  });

/** NeMo Guardrails, the platform's own: a policy is a guardrail configuration of our workspace. */
export function createGuardrails(settings: NemoPlatformSettings): Guardrails {
  const transport = createTransport(settings);
  const root = `/apis/guardrails/v2/workspaces/${encodeURIComponent(settings.workspace)}`;
  return {
    check: (request) => check(settings, transport, root, request),
    ensurePolicy: (policy) => ensurePolicy(transport, root, policy),
  };
}

async function check(
  settings: NemoPlatformSettings,
  transport: Transport,
  root: string,
  { policy, messages, model: named = 'none', timeoutMs, signal }: GuardrailRequest,
) {
  const { workspace, name } = toReference(policy, settings.workspace);
  const model = referenceText(toReference(named, settings.workspace));
  try {
    return await transport.call({
      doing: `check against the policy ${policy}`,
      method: 'POST',
      path: `${root}/checks`,
      // The model is obligatory, and asked only by rails that need one. In our workspace even where there is none:
      // a name without one would be looked for at NVIDIA's public service.
      body: { model, messages, guardrails: { config_id: `${workspace}/${name}` } },
      timeoutMs: timeoutMs ?? checkTimeoutMs,
      ...(signal && { signal }),
      reply: Verdict,
    });
  } catch (error) {
    if (!(error instanceof RejectedError) || !/config not found/i.test(error.message)) throw error;
    throw new RejectedError(error.message, { code: 'policy_not_found' });
  }
}

async function ensurePolicy(transport: Transport, root: string, policy: GuardrailPolicy): Promise<void> {
  const body = { description: madeByDescription, data: toConfiguration(policy) };
  try {
    await transport.call({
      doing: `make the policy ${policy.name}`,
      method: 'POST',
      path: `${root}/configs`,
      body: { name: policy.name, ...body },
      reply: z.unknown(),
    });
  } catch (error) {
    if (!(error instanceof RejectedError) || error.code !== 'conflict') throw error;
    await transport.call({
      doing: `change the policy ${policy.name}`,
      method: 'PATCH',
      path: `${root}/configs/${encodeURIComponent(policy.name)}`,
      body,
      reply: z.unknown(),
    });
  }
}

/** NeMo Guardrails' own configuration, with its rail of regular expressions, which needs no model. */
function toConfiguration({ inputPatterns, outputPatterns }: GuardrailPolicy) {
  return {
    models: [],
    rails: {
      config: {
        regex_detection: {
          input: { patterns: inputPatterns },
          output: { patterns: outputPatterns },
        },
      },
      input: { flows: inputPatterns.length > 0 ? ['regex check input'] : [] },
      output: { flows: outputPatterns.length > 0 ? ['regex check output'] : [] },
    },
  };
}
