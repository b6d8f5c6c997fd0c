import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createGuardrails } from '../../../integrations/nemo-platform/guardrails.ts';
import { guardrailName } from '../../../integrations/nemo-platform/names.ts';
import type { NemoPlatformSettings } from '../../../integrations/nemo-platform/settings.ts';
import { createTransport } from '../../../integrations/nemo-platform/transport.ts';
import { describeGuardrails } from '../../contracts/guardrails.contract.ts';
import { aWorkspace } from '../../support/nemo-platform.ts';

let settings: NemoPlatformSettings;
beforeAll(async () => {
  settings = await aWorkspace();
}, 300_000);

describeGuardrails('NeMo Guardrails', async () => createGuardrails(settings));

const rules = { questions: {}, answers: { card: String.raw`\b(?:\d[ -]?){13,16}\b` } };
const blocked = { rules, spoken: 'answer', text: 'card 4111 1111 1111 1111' } as const;

test('tells how the platform’s own rails fared', async () => {
  const guardrails = createGuardrails(settings);

  await expect(guardrails.check(blocked)).resolves.toMatchObject({ detail: 'regex check output: blocked' });
});

test('a configuration that somebody removed is made again, and is never one that allows', async () => {
  const guardrails = createGuardrails(settings);
  await guardrails.check(blocked);
  const name = guardrailName('answer', Object.values(rules.answers));
  await createTransport(settings).call({
    doing: 'remove the guardrails',
    method: 'DELETE',
    path: `/apis/guardrails/v2/workspaces/${settings.workspace}/configs/${name}`,
    reply: z.unknown(),
  });

  await expect(guardrails.check(blocked)).resolves.toMatchObject({ allowed: false, rule: 'answers.card' });
});

test('a platform that does not answer allows nothing', async () => {
  const guardrails = createGuardrails({ ...settings, url: 'http://127.0.0.1:9' });

  await expect(guardrails.check({ ...blocked, text: 'harmless' })).rejects.toMatchObject({
    name: 'UnavailableError',
  });
});
