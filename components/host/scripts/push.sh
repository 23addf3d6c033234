#!/usr/bin/env bash
# One request to this machine. Called over SSH as `push.sh VERB DIRECTORY`, with the request in
# DIRECTORY/request.json: hands the work to a transient unit of its own, so that a cut session
# cannot halve it, and waits for the answer. The unit calls `push.sh --job VERB DIRECTORY`.
set -euo pipefail
umask 077

base=/run/layered-cloud
lock=$base/lock
lock_seconds=900
cloud_init_seconds=600
# dpkg's repair and the services' reload have limits of their own below this one.
recover_seconds=900

# The lock's holder does not pass it on: a daemon started meanwhile must not keep it.
locked() {
    local status=0
    flock --close --wait "$lock_seconds" --conflict-exit-code 75 "$lock" "$@" || status=$?
    if [[ "$status" -eq 75 ]]; then
        echo "Another push has held this machine's lock ($lock) for $lock_seconds s." >&2
        echo "See what it does: systemctl list-units 'layered-cloud-push-*'" >&2
    fi
    return "$status"
}

# Cloud-init's errors stop the first push to a machine, which is then not what it should be; later
# ones they do not concern (a module of another boot, a datasource that is gone).
await_cloud_init() {
    local status=0 said=$1/cloud-init
    command -v cloud-init >/dev/null || return 0
    timeout "$cloud_init_seconds" cloud-init status --wait --long >"$said" 2>&1 || status=$?
    # Exit code 2 is "done, with recoverable errors" (cloud-init 24.1 and later).
    case $status in
    0 | 2) return 0 ;;
    124) echo "cloud-init is not done after $cloud_init_seconds s; going on." >&2 && return 0 ;;
    *) ;;
    esac
    compgen -G '/var/lib/layered-cloud/*/manifest.json' >/dev/null && return 0
    cat "$said" >&2
    echo "cloud-init did not finish; read /var/log/cloud-init.log on the machine" >&2
    return 1
}

unit_of() {
    echo "layered-cloud-$(basename "$1")"
}

# What cut sessions left behind: their answers are not wanted any more after an hour. One whose
# push is still at work stays: a clock that was set forward ages them all.
clear_old_sessions() {
    local old
    find "$base" -mindepth 1 -maxdepth 1 -name 'push-*' -mmin +60 -print | while read -r old; do
        systemctl is-active --quiet "$(unit_of "$old")" || rm -rf -- "$old"
    done
}

# The unit ended, but not by itself: systemd tells its ExecStopPost how.
told_if_killed() {
    case ${SERVICE_RESULT:-success}/${EXIT_STATUS:-0} in
    oom-kill/*) echo "This machine ran out of memory, and its kernel killed the push." >&2 ;;
    timeout/*) echo "The push was ended for its time." >&2 ;;
    */129 | */13[0-9] | */14[0-3] | */[A-Z]*) echo "The push was killed (${EXIT_STATUS}) half way." >&2 ;;
    *) return 0 ;;
    esac
    echo "Run it again: it goes on from what is there." >&2
}

session() {
    local verb=$1 directory=$2 status=0 name
    name=$(unit_of "$directory")
    clear_old_sessions
    # A hang-up must not end the wait before the unit has its order.
    trap '' HUP
    systemd-run --quiet --wait --collect --unit="$name" \
        --description="Configuration push ($verb)" \
        --working-directory="$directory" \
        --property=StandardInput=null \
        --property=StandardOutput="append:$directory/stdout" \
        --property=StandardError="append:$directory/stderr" \
        --property=TimeoutStopSec="$recover_seconds" \
        --property=ExecStopPost="/bin/bash $directory/push.sh --recover" \
        /bin/bash "$directory/push.sh" --job "$verb" "$directory" || status=$?
    [[ ! -e "$directory/stdout" ]] || cat "$directory/stdout"
    [[ ! -e "$directory/stderr" ]] || cat "$directory/stderr" >&2
    rm -rf -- "$directory"
    exit "$status"
}

case ${1:-} in
--job)
    await_cloud_init "$3"
    locked python3 -m agent "$2" "$3"
    ;;
--recover)
    # A push that never had the lock leaves the one that has it alone.
    [[ ${EXIT_STATUS:-} != 75 ]] || exit 0
    told_if_killed
    # After a push that ended well there is nothing to put back.
    compgen -G '/var/lib/layered-cloud/*/pending.json' >/dev/null || exit 0
    locked python3 -m agent recover
    ;;
--restore)
    PYTHONPATH=agent.zip locked python3 -P -m agent restore "$2" "$3"
    ;;
check)
    status=0
    cd "$2"
    locked python3 -m agent check "$2" || status=$?
    rm -rf -- "$2"
    exit "$status"
    ;;
apply | deposit | withdraw | delete | confirm | act | undo)
    session "$1" "$2"
    ;;
*)
    echo "push.sh: unknown verb ${1:-}" >&2
    exit 64
    ;;
esac
