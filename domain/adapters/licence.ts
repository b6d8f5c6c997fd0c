/** What is known of the terms of a base model. */
export interface Licence {
  /** As its model card's front matter names it, such as `apache-2.0` or `other`; null where it does not. */
  readonly id: string | null;
  readonly name: string | null;
  readonly link: string | null;
}

/** Reads the licence off a Hugging Face model card. */
export function licenceOf(modelCard: string | null): Licence {
  const frontMatter = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---/.exec(modelCard ?? '')?.[1] ?? '';
  const field = (key: string) => {
    const value = new RegExp(`^${key}:[ \\t]*(.+?)[ \\t\\r]*$`, 'm').exec(frontMatter)?.[1];
    return value?.replace(/^(['"])(.*)\1$/, '$2') ?? null;
  };
  return { id: field('license'), name: field('license_name'), link: field('license_link') };
}
