import { parseFeedback } from '../feedback/parse.ts';
import { sha256 } from '../hash.ts';
import type { JsonObject } from '../json.ts';
import { parseRecord } from '../records/parse.ts';
import { type ImportedRow, type Importer, type ImportOptions, rowTimestamp } from './importer.ts';
import { inferTools } from './infer-tools.ts';
import { readJson } from './read-json.ts';
import { TauBenchEpisode, TauBenchFile } from './tau-bench.schema.ts';

/**
 * tau-bench's `historical_trajectories/*.json` (`sierra-research/tau-bench`, Yao et al. 2024): real agents'
 * conversations in OpenAI's messages. Each of the agent's turns is a record: what stands before it was asked,
 * the turn is the answer. The files do not hold the tools that were offered; they are inferred from the calls
 * of the whole file, and each record says so. The reward is feedback on the whole conversation.
 * Trials of one task share a split (`split_group`): they hold the same answers.
 */
export const tauBench: Importer = {
  description:
    'tau-bench historical_trajectories: one record per agent turn; tools inferred, reward as feedback',
  example: 'gpt-4o-airline.json --format tau-bench --workload airline --client c1',

  async *read(source, options) {
    const file = readJson(await source.text(), TauBenchFile, 'a list of tau-bench episodes');
    const episodes = file.map((value) => TauBenchEpisode.safeParse(value));
    const tools = inferTools(episodes.flatMap((episode) => episode.data?.traj ?? []));
    const clock = { turns: 0 };
    for (const [index, { data, error }] of episodes.entries()) {
      const line = index + 1;
      if (data === undefined) yield { line, ...whyNot(error?.issues[0]) };
      else yield* readEpisode({ line, data, tools, clock }, options);
    }
  },
};

function whyNot(issue: { path: PropertyKey[]; message: string } | undefined) {
  const where = issue?.path.join('.') ?? '';
  return {
    reason: 'not_an_episode',
    detail: `An episode has task_id, reward and traj: ${where} ${issue?.message}.`,
  };
}

interface Episode {
  readonly line: number;
  readonly data: TauBenchEpisode;
  readonly tools: JsonObject[];
  /** Counts the turns of the whole file, for times that no turn has. */
  readonly clock: { turns: number };
}

function* readEpisode(episode: Episode, options: ImportOptions): Generator<ImportedRow> {
  const { line, data } = episode;
  const conversationId = nameOf(data);
  let records = 0;
  for (const [index, message] of data.traj.entries()) {
    if (message.role !== 'assistant') continue;
    episode.clock.turns += 1;
    const row = toRow(episode, { index, message, conversationId }, options);
    if ('record' in row) records += 1;
    yield row;
  }
  if (records === 0) {
    yield { line, reason: 'no_answer', detail: 'The episode has no usable turn of the assistant.' };
  } else {
    yield* outcomeRow(episode, conversationId, options);
  }
}

/** With a hash of what was said: files of two domains number their tasks alike. */
function nameOf({ task_id, trial, traj }: TauBenchEpisode): string {
  return `task-${task_id}.trial-${trial ?? 0}.${sha256(JSON.stringify(traj)).slice(0, 12)}`;
}

/** The benchmark's own check of the final state: 1 where the task was solved. */
function outcomeRow(episode: Episode, conversationId: string, options: ImportOptions): ImportedRow[] {
  const { line, data } = episode;
  if (data.reward == null) return [];
  const parsed = parseFeedback(
    {
      key: `tau-bench/${options.workloadId}/${conversationId}`,
      conversation_id: conversationId,
      kind: 'outcome',
      name: 'reward',
      value: data.reward,
      author: 'tau-bench',
    },
    options,
  );
  if (parsed.ok) return [{ line, feedback: parsed.feedback }];
  return [{ line, reason: parsed.reason, detail: parsed.detail }];
}

interface Turn {
  readonly index: number;
  readonly message: JsonObject;
  readonly conversationId: string;
}

function toRow(episode: Episode, turn: Turn, options: ImportOptions): ImportedRow {
  const { line, data, tools, clock } = episode;
  const { index, message, conversationId } = turn;
  const before = data.traj.slice(0, index);
  const called = Array.isArray(message.tool_calls) && message.tool_calls.length > 0;
  const parsed = parseRecord({
    timestamp: rowTimestamp(clock.turns),
    workload_id: options.workloadId,
    client_id: options.clientId,
    conversation_id: conversationId,
    request: { messages: before, ...(tools.length > 0 && { tools }) },
    response: {
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: called ? 'tool_calls' : 'stop' }],
    },
    tools_source: 'inferred',
    split_group: `task-${data.task_id}`,
    dataset: { name: 'tau-bench', task: data.task_id, trial: data.trial ?? 0, turn: index },
  });
  if (parsed.ok) return { line, record: parsed.record };
  return { line, reason: parsed.reason, detail: `Message ${index + 1}: ${parsed.detail}` };
}
