import { defineConfig } from 'drizzle-kit';

/** `npx drizzle-kit generate` writes the next migration; nothing is ever pushed without one. */
export default defineConfig({
  dialect: 'postgresql',
  schema: './db/schema/*.ts',
  out: './db/migrations',
  casing: 'snake_case',
});
