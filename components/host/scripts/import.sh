# shellcheck shell=sh
# A text to an appliance: a file by SFTP, which it then imports, or the standard input of the line
# that reads it (components/host/imported.py). Runs by /bin/sh -c on the machine that Pulumi runs on;
# the private key comes on standard input. The appliance's status says nothing: lines that it
# prints do.
set -eu
umask 077
for tool in ssh ssh-add ssh-agent sftp; do
    if ! command -v "$tool" >/dev/null; then
        echo "This machine has no $tool: install OpenSSH's client (Debian: openssh-client)." >&2
        exit 1
    fi
done

work=$(mktemp -d)
SSH_AGENT_PID=
leave() {
    [ -z "$SSH_AGENT_PID" ] || kill "$SSH_AGENT_PID" 2>/dev/null || true
    rm -rf -- "$work"
}
trap leave EXIT
trap 'exit 1' HUP INT TERM

agent=$(env -u TEXT -u CONFIRMATION ssh-agent -s -a "$work/agent")
eval "$agent" >/dev/null
if ! added=$(ssh-add -q - 2>&1); then
    echo "The deploy key cannot be read: $added" >&2
    exit 1
fi
printf '%s' "$TEXT" >"$work/text"
printf '%s' "$CONFIRMATION" >"$work/confirmation"
unset TEXT CONFIRMATION
echo "[$HOST]:$PORT $HOST_KEY" >"$work/known"
[ "$PORT" != 22 ] || echo "$HOST $HOST_KEY" >>"$work/known"
cat >"$work/config" <<CONFIG
Host *
    HostName $HOST
    Port $PORT
    User $LOGIN
    BatchMode yes
    IdentityFile none
    PreferredAuthentications publickey
    StrictHostKeyChecking yes
    UserKnownHostsFile $work/known
    GlobalKnownHostsFile none
    UpdateHostKeys no
    ConnectTimeout $DIAL_SECONDS
    ServerAliveInterval 5
    ServerAliveCountMax 4
    ControlMaster no
    ControlPath none
    RequestTTY no
    LogLevel ERROR
CONFIG

# What the appliance prints to a command line; a line feed of its own is CR LF.
told() {
    ssh -n -F "$work/config" appliance "$1" 2>&1 | tr -d '\r'
}
# Whether a line was printed, among others.
has() {
    printf '%s\n' "$2" | grep -qxF -- "$1"
}
# The batch's own echo is not wanted, what went wrong is. A text that is no file needs the way only.
upload() {
    if [ -z "$2" ]; then
        ssh -n -F "$work/config" appliance true 2>&1
        return
    fi
    printf 'put %s %s\n' "$work/$1" "$2" |
        { sftp -b - -F "$work/config" appliance 3>&1 >/dev/null 2>&3 3>&-; }
}
# The text, read by the appliance's line: what it said.
run() {
    if [ -z "$2" ]; then
        ssh -F "$work/config" appliance "$READER" <"$work/$1" 2>&1 | tr -d '\r'
        return
    fi
    told "$(printf '%s' "$READER" | sed "s/{file}/$2/")"
}
what=${FILE:-"the text"}

attempt=1
until said=$(upload text "$FILE"); do
    case $said in
    *"verification failed"*)
        echo "$HOST answers with another host key than the one it is known by: $HOST_KEY" >&2
        exit 1
        ;;
    *"Permission denied"*)
        echo "$HOST does not let the deploy key in as $LOGIN: $said" >&2
        exit 1
        ;;
    *) ;;
    esac
    if [ "$attempt" -ge "$DIAL_ATTEMPTS" ]; then
        echo "$HOST does not take $what${FILE:+ by SFTP}: $said" >&2
        exit 1
    fi
    sleep "$attempt"
    attempt=$((attempt + 1))
done

began=$(date +%s)
said=$(run text "$FILE")
if ! has "$DONE" "$said"; then
    echo "$HOST did not get to the end of $what:" >&2
    printf '%s\n' "$said" >&2
    if has "$ARMED" "$said"; then
        echo "Its old configuration returns within $CONFIRM_SECONDS s, with a restart." >&2
    else
        echo "Nothing was changed on it." >&2
    fi
    exit 1
fi

# Over new connections only, and as long as the old configuration has not returned.
while :; do
    if said=$(upload confirmation "${FILE:+confirm-$FILE}"); then
        said=$(run confirmation "${FILE:+confirm-$FILE}")
        has "$CONFIRMED" "$said" && break
    fi
    if [ $(($(date +%s) - began)) -ge "$CONFIRM_SECONDS" ]; then
        echo "$HOST was changed, and nobody could confirm it over a new connection:" >&2
        printf '%s\n' "$said" >&2
        echo "Its old configuration returns within $CONFIRM_SECONDS s, with a restart." >&2
        exit 1
    fi
    sleep 1
done
echo "$CONFIRMED"
