/**
 * Calls for one key that come while one is under way share its outcome: no service knows idempotency well enough
 * to be asked twice at once. Across processes that is a retry's to mend.
 */
export function sharedByKey<R extends { readonly key: string }, T>(
  work: (request: R) => Promise<T>,
): (request: R) => Promise<T> {
  const underWay = new Map<string, Promise<T>>();
  return (request) => {
    const begun = underWay.get(request.key) ?? work(request);
    underWay.set(request.key, begun);
    return begun.finally(() => underWay.delete(request.key));
  };
}
