import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { aWorkspace } from '../support/nemo-platform.ts';
import { gatewayLog, live, minutes, put, rollOut, safetyOf, turn } from './support/guarded-runs.ts';
import { type Stack, startStack } from './support/stack.ts';

/** Any answer of nano-1m's has a letter in it. */
const answers = { letters: '[A-Za-z]' };
const strict = 'strict';
/** The same rules, and NeMo Guardrails checks. */
const strictAtNemo = 'strict-at-nemo';
const lenient = 'lenient';

/** The real NeMo Guardrails, in a whole run and in the gateway, beside Flywheel's own check. */
describe('guardrails by NeMo', () => {
  let stack: Stack;

  beforeAll(async () => {
    const { url, workspace } = await aWorkspace();
    stack = await startStack({}, { candidates: candidatesFile(url, workspace), workloads: workloadsFile });
    for (const workload of [strict, strictAtNemo, lenient]) await stack.importTraffic(workload, 80);
  });
  afterAll(async () => {
    await stack?.stop();
  });

  it(
    'come to the same as Flywheel’s: the same answers, the same rule, the same counts, and no promotion',
    async () => {
      const { checkId: _ours, ...ours } = safetyOf(await turn(stack, strict));
      const run = await turn(stack, strictAtNemo);

      const { checkId: _theirs, ...theirs } = safetyOf(run);
      expect(theirs).toEqual(ours);
      expect(run.verdict?.outcome).toBe('hold');
      expect(run.verdict?.reason).toContain('most often stopped by answers.letters');
    },
    24 * minutes,
  );

  it(
    'are enforced in the gateway by a policy that comes while it runs',
    async () => {
      await rollOut(stack, await turn(stack, lenient));

      await put(stack, lenient, { guardrails: { answers, provider: 'platform', enforce: true } });

      await eventually(async () => {
        expect(await live(stack, lenient)).toMatchObject({
          ...{ status: 200, finish: 'content_filter', blocked: 'answer' },
        });
        expect(await gatewayLog(stack)).toContain('regex check output: blocked');
      }, 3 * minutes);
    },
    12 * minutes,
  );
});

function candidatesFile(platformUrl: string, workspace: string): string {
  return `
providers:
  platform: { kind: nemo-platform, url: '${platformUrl}', workspace: ${workspace} }
candidates:
  - { name: nano, model: nano-1m, strategies: [base], max_tokens: 24 }
`;
}

const workloadsFile = `
default: { threshold: 0 }
workloads:
  ${strict}: { guardrails: { answers: { letters: '${answers.letters}' } } }
  ${strictAtNemo}: { guardrails: { answers: { letters: '${answers.letters}' }, provider: platform } }
`;
