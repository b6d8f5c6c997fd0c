import type { JsonObject } from '../../domain/json.ts';

/** An invented mail-order shop for outdoor gear. Any likeness to a real one is chance. */
export const company = 'Fernhollow';

/** Short on purpose: it is part of every row, and each token costs training time. */
export const systemPrompt = `${company} help desk.`;

export const cities = ['Aldmere', 'Brackton', 'Corvale', 'Dunwich', 'Eastley'] as const;
export const countries = ['Norway', 'Spain', 'Poland', 'Ireland', 'Italy', 'Austria'] as const;
export const products = [
  'tent',
  'backpack',
  'stove',
  'lantern',
  'hammock',
  'kettle',
  'jacket',
  'boots',
  'compass',
  'tarp',
] as const;

/** What an argument is filled with; also the slot `{order}`, `{email}`, … in a phrase. */
export type Slot = 'order' | 'email' | 'product' | 'city' | 'country';

const argumentNames = {
  order: 'order_id',
  email: 'email',
  product: 'product',
  city: 'city',
  country: 'country',
} as const satisfies Record<Slot, string>;

/** The help desk's tools and their one argument, copied word for word from the question. */
const slots = {
  track_order: 'order',
  cancel_order: 'order',
  start_return: 'order',
  refund_status: 'order',
  reset_password: 'email',
  check_stock: 'product',
  get_price: 'product',
  store_hours: 'city',
  shipping_cost: 'country',
  gift_card_balance: null,
  loyalty_points: null,
  talk_to_person: null,
} as const satisfies Record<string, Slot | null>;

export type ToolName = keyof typeof slots;
export const toolNames = Object.keys(slots) as ToolName[];

export function slotOf(tool: ToolName): Slot | null {
  return slots[tool];
}

export function argumentsOf(tool: ToolName, value: string | null): JsonObject {
  const slot = slots[tool];
  return slot === null || value === null ? {} : { [argumentNames[slot]]: value };
}

/** The tools of every request, in OpenAI's form and always in this order. */
export const helpDeskTools: JsonObject[] = toolNames.map((name) => {
  const slot = slots[name];
  const properties: JsonObject = slot === null ? {} : { [argumentNames[slot]]: { type: 'string' } };
  return {
    type: 'function',
    function: { name, parameters: { type: 'object', properties, required: Object.keys(properties) } },
  };
});
