#!/bin/sh
# Runs once, on an empty volume: a role for each user of the server, and databases that it owns and no other's.
set -eu
psql -v ON_ERROR_STOP=1 -v temporal="$TEMPORAL_DB_PASSWORD" -v flywheel="$FLYWHEEL_DB_PASSWORD" \
  --username "$POSTGRES_USER" --dbname postgres <<'SQL'
create role temporal login password :'temporal';
create role flywheel login password :'flywheel';
create database temporal owner temporal;
create database temporal_visibility owner temporal;
create database flywheel owner flywheel;
revoke connect on database temporal, temporal_visibility, flywheel from public;
SQL
