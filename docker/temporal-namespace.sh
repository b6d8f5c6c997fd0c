#!/bin/sh
# The namespace, and the search attributes that the workflows set. Runs at each start; what is there stays.
set -eu
namespace=${TEMPORAL_NAMESPACE:-default}
temporal operator namespace describe --namespace "$namespace" >/dev/null 2>&1 ||
  temporal operator namespace create --namespace "$namespace" --retention "${TEMPORAL_RETENTION:-720h}"
# A new namespace reaches every part of the server within seconds.
tries=0
until known=$(temporal operator search-attribute list --namespace "$namespace" 2>/dev/null); do
  tries=$((tries + 1))
  [ "$tries" -lt 30 ] || { echo "Namespace $namespace does not appear." >&2; exit 1; }
  sleep 1
done
for attribute in \
  FlywheelWorkload:Keyword \
  FlywheelStage:Keyword \
  FlywheelVerdict:Keyword \
  FlywheelWaiting:Bool; do
  name=${attribute%%:*}
  case $known in
    *"$name"*) ;;
    *) temporal operator search-attribute create --namespace "$namespace" --name "$name" --type "${attribute##*:}" ;;
  esac
done
echo "Namespace $namespace is ready."
