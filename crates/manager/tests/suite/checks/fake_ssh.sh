#!/bin/sh
# Stands for OpenSSH's `ssh`: notes what it is given, keeps host keys as that does, and then does what `act` beside it says.
here=$(dirname "$0")
printf '%s\n' "$@" > "$here/arguments"
for word in "$@"; do
  case $word in
  HostKeyAlias=*) host=${word#*=} ;;
  UserKnownHostsFile=*) known=$(echo "${word#*=}" | tr -d '"') ;;
  StrictHostKeyChecking=*) strict=${word#*=} ;;
  esac
done
key=$(cat "$here/key")
case $strict in
accept-new) echo "$host $key" > "$known" ;;
yes)
  if ! grep -qx "$host $key" "$known"; then
    echo "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @" >&2
    echo "Host key verification failed." >&2
    exit 255
  fi
  ;;
esac
. "$here/act"
