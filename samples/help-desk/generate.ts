import type { JsonObject } from '../../domain/json.ts';
import { createRandom, type Random } from '../../domain/random.ts';
import {
  type Exchange,
  loopExchange,
  nearDuplicate,
  plainExchange,
  requestOf,
  type Turn,
  toolExchange,
  wrongAnswer,
} from './exchange.ts';

export interface HelpDeskOptions {
  readonly seed: number;
  /** How many log records to make. */
  readonly records?: number;
  /** Time of the first call, RFC 3339; the calls follow about a minute apart. */
  readonly start?: string;
  /** Share of answers that are wrong on purpose, as a production model's are. */
  readonly wrongShare?: number;
}

export const defaultHelpDesk = { records: 900, start: '2026-01-05T08:00:00.000Z', wrongShare: 0.03 } as const;

/** The workload that the traffic belongs to. */
export const helpDeskWorkload = 'help-desk';

/** The model that is said to have answered. It does not exist. */
export const productionModel = 'grand-oak-400b';

const clients = ['web-chat', 'web-chat', 'web-chat', 'mobile-app', 'mobile-app', 'store-kiosk'] as const;

/** Exchanges by kind, in hundredths. Loops count two or three records each: about a fifth of all. */
const kinds: readonly (readonly [number, (random: Random, earlier: readonly Exchange[]) => Exchange])[] = [
  [66, (random) => toolExchange(random)],
  [18, (random) => plainExchange(random)],
  [8, (random) => loopExchange(random)],
  [4, (random, earlier) => repeatOf(random, earlier)],
  [4, (random, earlier) => nearDuplicate(repeatOf(random, earlier), random)],
];

/**
 * Makes log records of a fictional help desk, on the wire form that `flywheel import --format jsonl` reads.
 * Everything in them is synthetic, as each says in `synthetic`. The same options give the same records.
 */
export function generateHelpDesk(options: HelpDeskOptions): JsonObject[] {
  const { seed, records, start, wrongShare } = { ...defaultHelpDesk, ...options };
  const random = createRandom(seed);
  // Slips are drawn apart, so that their share changes nothing but the answers.
  const slips = createRandom(seed ^ 0x511b5);
  const rows: JsonObject[] = [];
  const singles: Exchange[] = [];
  let time = Date.parse(start);
  for (let conversation = 1; rows.length < records; conversation += 1) {
    const exchange = makeExchange(random, singles);
    if (exchange.length === 1) singles.push(exchange);
    const clientId = random.pick(clients);
    for (const turn of exchange.slice(0, records - rows.length)) {
      time += 20_000 + random.below(80_000);
      const answer = slips.chance(wrongShare) ? wrongAnswer(turn.answer, slips) : turn.answer;
      rows.push(
        toRecord({ turn, answer, clientId, time, conversationId: `hd-${seed}-${conversation}`, random }),
      );
    }
  }
  return rows;
}

function makeExchange(random: Random, earlier: readonly Exchange[]): Exchange {
  let draw = random.below(kinds.reduce((sum, [share]) => sum + share, 0));
  for (const [share, make] of kinds) {
    if (draw < share) return make(random, earlier);
    draw -= share;
  }
  return toolExchange(random);
}

function repeatOf(random: Random, earlier: readonly Exchange[]): Exchange {
  return earlier.length === 0 ? toolExchange(random) : random.pick(earlier);
}

interface Call {
  readonly turn: Turn;
  readonly answer: JsonObject;
  readonly clientId: string;
  readonly time: number;
  readonly conversationId: string;
  readonly random: Random;
}

function toRecord({ turn, answer, clientId, time, conversationId, random }: Call): JsonObject {
  const called = answer.tool_calls !== undefined;
  return {
    timestamp: new Date(time).toISOString(),
    workload_id: helpDeskWorkload,
    client_id: clientId,
    conversation_id: conversationId,
    request: { model: productionModel, ...requestOf(turn), temperature: 0.2 },
    response: {
      id: `chatcmpl-${String(random.below(1e9)).padStart(9, '0')}`,
      object: 'chat.completion',
      created: Math.floor(time / 1000),
      model: productionModel,
      choices: [{ index: 0, message: answer, finish_reason: called ? 'tool_calls' : 'stop' }],
    },
    response_source: 'production',
    latency_ms: 400 + random.below(1600),
    synthetic: true,
  };
}
