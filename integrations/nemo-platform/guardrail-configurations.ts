import { z } from 'zod';
import type { GuardrailRules, Spoken } from '../../domain/guardrails/guardrails.ts';
import { unless } from './errors.ts';
import { guardrailName, madeByDescription } from './names.ts';
import { listAll } from './pages.ts';
import type { Transport } from './transport.ts';

/** Patterns of one side; `key` is their configuration's name. */
export interface GuardrailConfiguration {
  readonly key: string;
  readonly spoken: Spoken;
  readonly patterns: readonly string[];
}

/** What a platform keeps of the rules for one side. Without patterns nothing is made. */
export function guardrailConfiguration(rules: GuardrailRules, spoken: Spoken): GuardrailConfiguration {
  const patterns = Object.values(spoken === 'question' ? rules.questions : rules.answers);
  return { key: guardrailName(spoken, patterns), spoken, patterns };
}

const Listed = z.object({ name: z.string(), created_at: z.string().nullish() });

/** `/apis/guardrails/v2`: configurations, which checks name. */
export interface GuardrailConfigurations {
  /** Made unless it is there: its name is its content. */
  ensure(configuration: GuardrailConfiguration): Promise<void>;
  /** All of the workspace; none where the platform runs no guardrails. */
  list(): Promise<z.output<typeof Listed>[]>;
  remove(name: string): Promise<void>;
}

export function createGuardrailConfigurations(
  transport: Transport,
  workspace: string,
): GuardrailConfigurations {
  const path = `${guardrailsPath(workspace)}/configs`;
  return {
    async ensure(configuration) {
      const { key: name } = configuration;
      const body = { name, description: madeByDescription, data: dataOf(configuration) };
      const doing = `make the guardrails ${name}`;
      await unless('conflict', transport.call({ doing, method: 'POST', path, body, reply: z.unknown() }));
    },
    async list() {
      // Its own default of `sort` is one that 0.3 answers with a 500.
      const listing = { what: 'guardrails', path, query: { sort: 'created_at' }, item: Listed };
      return (await unless('not_found', listAll(transport, listing))) ?? [];
    },
    async remove(name) {
      await transport.find({
        doing: `remove the guardrails ${name}`,
        method: 'DELETE',
        path: `${path}/${encodeURIComponent(name)}`,
        reply: z.unknown(),
      });
    },
  };
}

export function guardrailsPath(workspace: string): string {
  return `/apis/guardrails/v2/workspaces/${encodeURIComponent(workspace)}`;
}

function dataOf({ spoken, patterns }: GuardrailConfiguration): object {
  const side = spoken === 'question' ? 'input' : 'output';
  const rails = {
    config: { regex_detection: { [side]: { patterns } } },
    [side]: { flows: [`regex check ${side}`] },
  };
  return { models: [], rails };
}
