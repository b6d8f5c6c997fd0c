import { Template } from '@huggingface/jinja';
import type { Json, JsonObject } from '../../../../domain/json.ts';

/** What templates see: the dataset's row, and the model's answer once there is one. */
export interface TemplateScope {
  readonly item: JsonObject;
  readonly sample?: { readonly output_text: string; readonly response: Json };
}

/**
 * A template with every string in it rendered. What was written by `tojson` is read back to a value, as a
 * template for a list of messages is one string.
 */
export function render(template: Json, scope: TemplateScope): Json {
  if (Array.isArray(template)) return template.map((inner) => render(inner, scope));
  if (typeof template === 'object' && template !== null) {
    return Object.fromEntries(Object.entries(template).map(([key, inner]) => [key, render(inner, scope)]));
  }
  if (typeof template !== 'string') return template;
  const text = renderText(template, scope);
  return /\|\s*tojson\s*}}\s*$/.test(template) ? (JSON.parse(text) as Json) : text;
}

export function renderText(template: string, scope: TemplateScope): string {
  if (!template.includes('{{') && !template.includes('{%')) return template;
  return new Template(template).render({ ...scope });
}

/** Columns as templates name them: lower case, anything else than letters and digits an underscore. */
export function toItem(row: JsonObject): JsonObject {
  const item: JsonObject = {};
  for (const [column, value] of Object.entries(row)) {
    const plain = column.toLowerCase().replace(/[^a-z0-9]/g, '_');
    let name = plain;
    for (let n = 1; name in item; n++) name = `${plain}_${n}`;
    item[name] = value;
  }
  return item;
}
