#!/bin/sh
# Brings Temporal's two databases to the version of this image. Runs at each start; what is done stays done.
set -eu
for database in temporal temporal_visibility; do
  folder=$database
  [ "$database" = temporal_visibility ] && folder=visibility
  tool="temporal-sql-tool --plugin postgres12 --ep $POSTGRES_SEEDS -p 5432 -u $POSTGRES_USER --db $database"
  $tool setup-schema -v 0.0
  $tool update-schema -d "/etc/temporal/schema/postgresql/v12/$folder/versioned"
done
