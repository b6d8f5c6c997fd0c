/** Why a run begins by itself: every day, every week, or because enough new records came in. */
export const cadences = ['daily', 'weekly', 'volume'] as const;
export type Cadence = (typeof cadences)[number];
