#!/usr/bin/env bash
# Contract 6 under fire. Saves an image over and over; each time one system
# call of the save fails with one error, or the process is killed at it:
#
#   the caller got   the path has         temporary file
#   Ok               the whole new file   none
#   an error         what it had before   none
#   (killed)         one of the two       perhaps one
#
# `save_new` runs three times: as it is, on a file system that cannot rename
# without replacement, and on one that has no hard links either. There a kill may
# leave an empty file.
#
# `save_if_changed` runs twice: over a file whose last byte differs, and over an
# equal file, which no fault may change.
#
# Three cases sync the file and its folder. If the folder cannot be synced, the
# caller gets an error, and the path has the new file. The order of the calls must
# be: write the bytes, sync the file, rename it, sync the folder.
#
# The file opens to nobody new: its permissions are those from before, or those
# of its owner alone.
#
# Prints a table, and fails if a cell is none of these.
#
# Usage: tests/faults.sh [system call]...
# Takes a minute or so; for some of the faults, PIXVIEW_FAULTS="EDQUOT KILL".
# Needs Linux and strace; with setfacl it shows access control lists, too
# (Debian: apt-get install strace acl).
set -euo pipefail
export LC_ALL=C

read -ra faults <<< "${PIXVIEW_FAULTS:-EIO ENOSPC EDQUOT EACCES EINTR ENOMEM KILL}"

if ! strace -o /dev/null true; then
    echo "strace is not there, or may not trace: apt-get install strace" >&2
    exit 2
fi
saver=${PIXVIEW_SAVER:-}
if [ -z "$saver" ]; then
    cd "$(dirname "$0")/.."
    saver=$(cargo test --test faults --no-run --message-format=json |
        sed -n 's/.*"executable":"\([^"]*\/faults-[^"]*\)".*/\1/p')
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
folder=$work/folder
image=$folder/image.png
export PIXVIEW_TEST_SAVE=$image

# Lays out the folder for a case, without what the last run left. Sets `missing`,
# the options by which strace makes calls fail that the file system does not have.
prepare() {
    rm -rf "$folder"
    mkdir "$folder"
    unset PIXVIEW_TEST_SAVE_NEW PIXVIEW_TEST_SAVE_IF_CHANGED PIXVIEW_TEST_SAVE_SYNC
    missing=()
    case $1 in
        fresh | fresh_synced | linked | reserved) export PIXVIEW_TEST_SAVE_NEW=1 ;;
        differs | equal | equal_synced) export PIXVIEW_TEST_SAVE_IF_CHANGED=1 ;;
    esac
    case $1 in
        *synced) export PIXVIEW_TEST_SAVE_SYNC=1 ;;
    esac
    case $1 in
        linked) missing=(-e inject=renameat2:error=EINVAL) ;;
        reserved) missing=(-e inject=renameat2:error=EINVAL -e inject=linkat:error=EPERM) ;;
    esac
    case $1 in
        new | fresh | fresh_synced | linked | reserved) return ;;
    esac
    case $1 in
        differs) cp "$work/differs.png" "$folder/target.png" ;;
        equal | equal_synced) cp "$work/new.png" "$folder/target.png" ;;
        *) cp "$work/old.png" "$folder/target.png" ;;
    esac
    chmod 640 "$folder/target.png"
    case $1 in
        link) ln -s target.png "$image" ;;
        *) mv "$folder/target.png" "$image" ;;
    esac
    case $1 in
        default) setfacl -d -m u:1:rw "$folder" ;;
        list) setfacl -m u:1:rw,g::- "$image" ;;
    esac
}

# Tells who may do what with the file.
rights() {
    if ((with_lists)); then
        getfacl -cEp "$image"
    else
        stat -Lc %a "$image"
    fi
}

# Tells what the path has: old, new, none, empty, or BROKEN.
content() {
    if [ ! -e "$image" ]; then
        echo none
    elif cmp -s "$image" "$work/new.png"; then
        echo new
    elif cmp -s "$image" "$work/old.png" || cmp -s "$image" "$work/differs.png"; then
        echo old
    elif [ ! -s "$image" ]; then
        echo empty
    else
        echo BROKEN
    fi
}

# Runs the saver once. Sets `cell`, and adds to `failures` if it is wrong.
run() {
    local case=$1 call=$2 number=$3 about=$4 fault=$5 action said disk litter before rights status=0
    action=error=$fault
    [ "$fault" = KILL ] && action=signal=KILL
    prepare "$case"
    before=$(content)
    [ "$before" = none ] || rights=$(rights)
    strace -qq -o "$work/traced" "${missing[@]}" -e "trace=$call,renameat2,linkat" \
        -e "inject=$call:$action:when=$number" "$saver" > "$work/said" 2> "$work/errors" ||
        status=$?
    said=$(cat "$work/said")
    disk=$(content)
    litter=$(find "$folder" -name '.pixview-*.tmp' | wc -l)
    case $said in
        "saved: Ok") said=Ok ;;
        "saved: "*) said=Err ;;
        *) said=DIED ;;
    esac
    if [ "$fault" = KILL ]; then
        [ "$status" = 137 ] && said=killed || said=SPARED
    elif ! grep -q "^$call(.*INJECTED" "$work/traced"; then
        said=SPARED
    fi
    if [ "$before" != none ] && [ "$(rights)" != "$rights" ] && [ "$(stat -Lc %a "$image")" != 600 ]; then
        disk=OPEN
    fi
    # Only the fault is made up, so the file is whole. On NFS it would not be.
    # The old file that `save_if_changed` has read may be closed as it likes.
    case $said,$call,$about,$case in
        Ok,close,folder,* | Ok,close,image,differs | Ok,close,image,equal*) ;;
        Ok,close,*) disk=LOST ;;
    esac
    cell="$said,$disk"
    [ "$litter" = 0 ] || cell+=+tmp
    case $said,$disk,$litter in
        # The folder is synced after the file has got its name.
        Err,*)
            local expected=$before
            if [ "$call,$about" = fsync,folder ]; then
                expected=new
                grep -q "could not be synced" "$work/said" || expected=another-message
            fi
            [ "$disk,$litter" = "$expected,0" ] || cell+=!
            ;;
        Ok,new,0) ;;
        "killed,$before,"[01] | killed,new,0) ;;
        # The file has both names for a moment.
        killed,new,1) [ "$case" = linked ] || cell+=! ;;
        killed,empty,[01]) [ "$case" = reserved ] || cell+=! ;;
        *)
            cell+=!
            ;;
    esac
    if [[ $cell = *! ]]; then
        failures+=("$case: $call $number: $fault: $cell: $(cat "$work/said" "$work/errors")")
    fi
    runs=$((runs + 1))
}

# Checks the order in the trace of a save that syncs. Adds to `failures` if it is
# another.
check_order() {
    local order expected
    # One letter for each call: Write, Permissions, Sync the file, Rename, sync the
    # Folder.
    order=$(awk '
        /pixview-mark/ { inside = !inside; next }
        !inside { next }
        /^p?write/ && /\.pixview-/ { printf "W" }
        /^fch(mod|own)/ { printf "P" }
        /^f(data)?sync/ { printf /\.pixview-|image\.png/ ? "S" : "F" }
        /^(rename|link)/ { printf "R" }' "$work/trace")
    case $1 in
        synced) expected='^W+P+SRF$' ;;
        fresh_synced) expected='^W+SRF$' ;;
        equal_synced) expected='^SF$' ;;
        *) expected='^W*P*R?$' ;;
    esac
    if [[ ! $order =~ $expected ]]; then
        failures+=("$1: the order of the calls is $order, not $expected")
    fi
}

prepare new
"$saver" > /dev/null
cp "$image" "$work/new.png"
printf 'not even a PNG' > "$work/old.png"
{
    head -c -1 "$work/new.png"
    printf '!'
} > "$work/differs.png"

declare -A titles=(
    [new]="A new file"
    [synced]="Over an old file, with sync"
    [fresh]="save_new"
    [fresh_synced]="save_new, with sync"
    [linked]="save_new, by a hard link"
    [reserved]="save_new, over an empty file of its own"
    [old]="Over an old file"
    [differs]="save_if_changed, over a file that differs"
    [equal]="save_if_changed, over an equal file"
    [equal_synced]="save_if_changed, over an equal file, with sync"
    [link]="Over the target of a symbolic link"
    [default]="Over an old file, in a folder with a default access control list"
    [list]="Over an old file with an access control list"
)
cases=(new old synced link fresh fresh_synced linked reserved differs equal equal_synced)
with_lists=0
if setfacl -m u:1:rw "$work/new.png" 2> /dev/null; then
    with_lists=1
    cases+=(default list)
else
    echo "skipped: access control lists: there are none, or no setfacl" >&2
fi
failures=()
runs=0
for case in "${cases[@]}"; do
    prepare "$case"
    strace -qq -y -o "$work/trace" "${missing[@]}" "$saver" > /dev/null
    case $case in
        # Calls that fail because the file system does not have them are traced too.
        linked | reserved) ;;
        *) check_order "$case" ;;
    esac
    printf '\n%s (%s)\n%-30s' "${titles[$case]}" \
        "what the caller got, what the path has" "system call"
    printf ' %-10s' "${faults[@]}"
    echo
    # Lists the calls between the two marks: name, number among the calls of
    # that name, and what the call is about.
    awk -F'(' '
        { count[$1]++ }
        /pixview-mark/ { inside = !inside; next }
        inside {
            about = /posix_acl/ ? "list" : /\.pixview-/ ? "temporary" : \
                /(image|target)\.png/ ? "image" : /folder/ ? "folder" : "memory"
            print $1, count[$1], about
        }' "$work/trace" > "$work/calls"
    while read -r call number about; do
        if [ $# -gt 0 ] && [[ " $* " != *" $call "* ]]; then
            continue
        fi
        # The C library does not expect an error of the first, which never has
        # one. Random numbers for hashes fail on no system; the standard library
        # would panic.
        [[ $call = brk || $call = getrandom ]] && continue
        # It fails already.
        if [[ "${missing[*]}" = *"inject=$call:"* ]]; then
            continue
        fi
        printf '%-30s' "$call $number ($about)"
        for fault in "${faults[@]}"; do
            # The shell would report those that were killed.
            run "$case" "$call" "$number" "$about" "$fault" 2> /dev/null
            printf ' %-10s' "$cell"
        done
        echo
    done < "$work/calls"
done

echo
((${#failures[@]} == 0)) || printf '%s\n' "${failures[@]}"
echo "$runs runs, ${#failures[@]} wrong"
[ ${#failures[@]} = 0 ]
