import { z } from 'zod';
import type { GuardrailRequest, Guardrails } from '../../activities/ports/guardrails.ts';
import { RejectedError, UnavailableError } from '../../domain/errors.ts';
import type { GuardrailVerdict } from '../../domain/guardrails/guardrails.ts';
import { brokenRule, compileRules, verdictOf } from '../../domain/guardrails/rules.ts';
import { sharedByKey } from '../http/shared-by-key.ts';
import {
  createGuardrailConfigurations,
  type GuardrailConfiguration,
  guardrailConfiguration,
  guardrailsPath,
} from './guardrail-configurations.ts';
import { referenceText, toReference } from './names.ts';
import type { NemoPlatformSettings } from './settings.ts';
import { createTransport, type Transport } from './transport.ts';

/** Rails without a model answer within a second; a first one, which loads its configuration, within some. */
const checkTimeoutMs = 60_000;

const Checked = z.object({
  // Anything else, such as a rail that failed, is no verdict.
  status: z.enum(['success', 'blocked']),
  // That no rail ran is no verdict.
  rails_status: z
    .record(z.string(), z.object({ status: z.string() }))
    .refine((rails) => Object.keys(rails).length > 0, 'no rail was run'),
});

interface Platform {
  readonly settings: NemoPlatformSettings;
  readonly transport: Transport;
}

/**
 * NeMo Guardrails, the platform's own: rules are guardrail configurations of our workspace, with its rail of regular
 * expressions, which needs no model. Their names are made of their content, so that changed rules are another
 * configuration; questions and answers have one each, for a configuration's rails run on every check.
 */
export function createGuardrails(settings: NemoPlatformSettings): Guardrails {
  const platform: Platform = { settings, transport: createTransport(settings) };
  const configurations = createGuardrailConfigurations(platform.transport, settings.workspace);
  const made = new Set<string>();
  const make = sharedByKey((configuration: GuardrailConfiguration) => configurations.ensure(configuration));
  const ensure = async (configuration: GuardrailConfiguration) => {
    if (made.has(configuration.key)) return;
    await make(configuration);
    made.add(configuration.key);
  };
  return {
    async check(request) {
      const configuration = guardrailConfiguration(request.rules, request.spoken);
      // Nothing is forbidden, and a configuration without rails would check nothing.
      if (configuration.patterns.length === 0) return verdictOf(null);
      await ensure(configuration);
      try {
        return await check(platform, configuration.key, request);
      } catch (error) {
        if (!(error instanceof RejectedError)) throw error;
        // It is our own configuration, made a moment ago: what fails on it is the service.
        if (error.code === 'server_error') throw new UnavailableError(error.message, { kind: 'failing' });
        if (!/config not found/i.test(error.message)) throw error;
        // Somebody has removed it.
        made.delete(configuration.key);
        await ensure(configuration);
        return check(platform, configuration.key, request);
      }
    },
  };
}

/** An answer to nobody is passed without a single rail having run. What was asked is judged by no rail of ours. */
function asAnswer(text: string): object[] {
  return [
    { role: 'user', content: '(the question)' },
    { role: 'assistant', content: text },
  ];
}

async function check(
  { settings, transport }: Platform,
  name: string,
  { rules, spoken, text, timeoutMs, signal }: GuardrailRequest,
): Promise<GuardrailVerdict> {
  const { workspace } = settings;
  const { status, rails_status: rails } = await transport.call({
    doing: `check against the guardrails ${name}`,
    method: 'POST',
    path: `${guardrailsPath(workspace)}/checks`,
    body: {
      // Obligatory, and asked only by rails that need one. In our workspace even where there is none: a name
      // without one would be looked for at NVIDIA's public service.
      model: referenceText(toReference('none', workspace)),
      messages: spoken === 'question' ? [{ role: 'user', content: text }] : asAnswer(text),
      guardrails: { config_id: `${workspace}/${name}` },
    },
    // Asked twice it says the same.
    idempotent: true,
    timeoutMs: timeoutMs ?? checkTimeoutMs,
    ...(signal && { signal }),
    reply: Checked,
  });
  if (status === 'success') return verdictOf(null);
  const blocking = Object.entries(rails).find(([, rail]) => rail.status === 'blocked')?.[0] ?? status;
  const detail = Object.entries(rails)
    .map(([rail, said]) => `${rail}: ${said.status}`)
    .join(', ');
  // The rail tells that one of its patterns matched, not which: ours, which are the same, do.
  return verdictOf(brokenRule(compileRules(rules), spoken, text) ?? `${spoken}s.${blocking}`, detail);
}
