/**
 * What a deployment is called outside: `namespace/name`, behind it `#<adapter>` for one that is served by its
 * base's deployment; `nim:<base>` where a NIM serves the base and no deployment accounts for it.
 */
export type DeploymentId =
  | { readonly kind: 'deployment'; readonly fullName: string; readonly adapter: string | null }
  | { readonly kind: 'served'; readonly base: string; readonly adapter: string | null };

export function formatId(id: DeploymentId): string {
  const whole = id.kind === 'served' ? `nim:${id.base}` : id.fullName;
  return id.adapter === null ? whole : `${whole}#${id.adapter}`;
}

export function parseId(text: string): DeploymentId {
  const [whole = '', adapter = null] = text.split(/#(.*)/s);
  return whole.startsWith('nim:')
    ? { kind: 'served', base: whole.slice('nim:'.length), adapter }
    : { kind: 'deployment', fullName: whole, adapter };
}
