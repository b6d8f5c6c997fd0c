import { z } from 'zod';
import type { JsonObject } from '../json.ts';

const Message = z.custom<JsonObject>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    'role' in value &&
    typeof value.role === 'string' &&
    !Array.isArray(value),
  'must be a message with a role',
);

/** One episode of tau-bench's `historical_trajectories`: an agent's conversation, and whether it solved its task. */
export const TauBenchEpisode = z.object({
  task_id: z.union([z.number(), z.string().min(1)]),
  trial: z.union([z.number(), z.string()]).nullish(),
  reward: z.number().min(0).max(1).nullish(),
  traj: z.array(Message).min(1),
});

export type TauBenchEpisode = z.infer<typeof TauBenchEpisode>;

export const TauBenchFile = z.array(z.unknown());
