import { boolean, foreignKey, index, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { at, createdAt } from './columns.ts';

/** Models that had to be deployed before they answer, for as long as they are. */
export const deployments = pgTable(
  'deployments',
  {
    provider: text().notNull(),
    model: text().notNull(),
    /** null for a base model. */
    baseModel: text(),
    /** The provider's name of it; null before it was made. */
    deploymentId: text(),
    ours: boolean().notNull().default(false),
    /** Set while it is being taken off: nobody can hold it. */
    removingSince: at(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.provider, t.model] })],
);

/** Who needs a deployment, and after a release until when it is kept all the same. */
export const deploymentHolds = pgTable(
  'deployment_holds',
  {
    provider: text().notNull(),
    model: text().notNull(),
    holder: text().notNull(),
    createdAt: createdAt(),
    /** null: still needed. */
    keptUntil: at(),
  },
  (t) => [
    primaryKey({ columns: [t.provider, t.model, t.holder] }),
    foreignKey({
      columns: [t.provider, t.model],
      foreignColumns: [deployments.provider, deployments.model],
    }).onDelete('cascade'),
    index('deployment_holds_holder').on(t.holder),
  ],
);
