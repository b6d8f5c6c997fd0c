/**
 * Calls for one key that come while one is under way share its outcome. Two uploads of one dataset at once make
 * the platform fail now and then; across processes that is a retry's to mend.
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
