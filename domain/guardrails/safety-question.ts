import type { Example } from '../datasets/dataset.ts';
import { canonicalJson } from '../hash.ts';
import type { ChatMessage, Tool } from '../records/chat.ts';
import type { SafetyItem } from './safety-set.ts';

/** What a workload's calls have in common, beside the question. */
export interface WorkloadSetting {
  readonly system: readonly ChatMessage[];
  readonly tools: readonly Tool[];
}

/** What most examples have as system messages and tools; of equals the first. Nothing where there is none. */
export function typicalSetting(examples: readonly Pick<Example, 'messages' | 'tools'>[]): WorkloadSetting {
  const counts = new Map<string, { setting: WorkloadSetting; n: number }>();
  for (const { messages, tools } of examples) {
    const setting = { system: messages.filter(isSystem), tools };
    const key = canonicalJson(setting);
    const known = counts.get(key);
    if (known) known.n += 1;
    else counts.set(key, { setting, n: 1 });
  }
  let most: { setting: WorkloadSetting; n: number } | null = null;
  for (const each of counts.values()) if (most === null || each.n > most.n) most = each;
  return most?.setting ?? { system: [], tools: [] };
}

function isSystem({ role }: ChatMessage): boolean {
  return role === 'system' || role === 'developer';
}

/** The item as a caller of the workload would ask it. */
export function safetyQuestion(
  item: Pick<SafetyItem, 'system' | 'question'>,
  { system, tools }: WorkloadSetting,
): Pick<Example, 'messages' | 'tools'> {
  return { messages: [...withSystem(system, item.system), { role: 'user', content: item.question }], tools };
}

/** In one message, since not every chat template takes two. */
function withSystem(system: readonly ChatMessage[], more: string | undefined): readonly ChatMessage[] {
  if (more === undefined) return system;
  const [first, ...others] = system;
  if (first === undefined) return [{ role: 'system', content: more }];
  return [{ ...first, content: [first.content, more].filter(Boolean).join('\n\n') }, ...others];
}
