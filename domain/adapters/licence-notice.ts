import type { Licence } from './licence.ts';

/** The `LICENSE` of an adapter whose base came without one: what is known, and where to look. */
export function licenceNotice(base: {
  readonly reference: string;
  readonly onHub: boolean;
  readonly licence: Licence;
}): string {
  const { id, name, link } = base.licence;
  const known =
    id === null
      ? 'Its licence is not known here: neither a licence file nor a model card that names one came with it.'
      : `Its model card names the licence ${name ?? id}; the text of it did not come with the model.`;
  const where =
    link ?? (base.onHub ? `https://huggingface.co/${base.reference}` : 'whoever the base model was got from');
  return `This adapter is a work on top of the base model ${base.reference}.
${known}
Look here before you use it or hand it on: ${where}
`;
}
