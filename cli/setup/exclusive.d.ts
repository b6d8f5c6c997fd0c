/**
 * Runs `work` while no other process on this machine runs any with the same folder, in the order of coming.
 * Waits its turn, and says so once by `onWait`; who is dead is passed over.
 */
export function exclusive<T>(queueDir: string, onWait: () => void, work: () => Promise<T>): Promise<T>;
