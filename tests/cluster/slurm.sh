#!/usr/bin/env bash
# A Slurm cluster of two nodes on this machine, of an ordinary user: no systemd, no cgroups, nothing in /etc.
#
#     slurm.sh install        packages of Debian and Ubuntu, where they are missing
#     slurm.sh start DIR      starts it; then: export SLURM_CONF=DIR/slurm.conf
#     slurm.sh controller DIR, slurm.sh node DIR NAME      start one daemon again
#     slurm.sh stop DIR
#
# Environment: PORT (16800 and the next ones), CPUS, MAX_ARRAY, and the times in seconds of the configuration below.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
what=$1

if [ "$what" = install ]; then
    if command -v slurmctld munged > /dev/null; then exit; fi
    if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
        echo "slurmctld and munged are missing: install the packages slurm-wlm and munge" >&2
        exit
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends slurm-wlm munge > /dev/null
    exit
fi

dir=$(realpath -m "$2") port=${PORT:-16800} me=$(id -un)
export SLURM_CONF=$dir/slurm.conf

end() {  # NAME: ends a daemon by the file with its process id
    [ -s "$dir/$1.pid" ] || return 0
    local pid
    pid=$(cat "$dir/$1.pid")
    kill "$pid" 2> /dev/null || return 0
    for _ in $(seq 50); do
        grep -q "^State:.[RSD]" "/proc/$pid/status" 2> /dev/null || return 0
        sleep 0.1
    done
    kill -9 "$pid" 2> /dev/null || true
}

stop() {
    end slurmd-n1
    end slurmd-n2
    end slurmctld
    end munged
}

case $what in
    stop) stop; exit ;;
    controller) slurmctld; exit ;;
    node) slurmd -N "$3"; exit ;;
    start) ;;
    *) echo "slurm.sh install | start DIR | controller DIR | node DIR NAME | stop DIR" >&2; exit 2 ;;
esac

mkdir -p "$dir"/{state,spool-n1,spool-n2}
chmod 755 "$dir"
[ -e "$dir/munge.key" ] || (umask 077; head -c 1024 /dev/urandom > "$dir/munge.key")
cat > "$SLURM_CONF" << END
ClusterName=test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$me
SlurmdUser=$me
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$dir/munge.sock,cred_expire=${REQUEUE_AFTER:-5}
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool-%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=100
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=0,bf_interval=5
ReturnToService=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
GresTypes=gpu
MaxArraySize=${MAX_ARRAY:-1001}
KillWait=${KILL_WAIT:-30}
MinJobAge=300
JobRequeue=1
InactiveLimit=0
MessageTimeout=30
SlurmdTimeout=${NODE_TIMEOUT:-10}
SlurmctldTimeout=30
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=${CPUS:-4} RealMemory=8000 Gres=gpu:2
NodeName=n2 NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=${CPUS:-4} RealMemory=8000 Gres=gpu:2
PartitionName=low Nodes=n1,n2 Default=YES MaxTime=UNLIMITED State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=${GRACE:-20}
PartitionName=high Nodes=n1,n2 MaxTime=UNLIMITED State=UP PriorityTier=10 PreemptMode=OFF
END
for node in n1 n2; do  # GPUs that are none, for CUDA_VISIBLE_DEVICES
    printf "NodeName=$node Name=gpu File=%s\n" /dev/null /dev/zero
done > "$dir/gres.conf"
munged --force --socket="$dir/munge.sock" --key-file="$dir/munge.key" --pid-file="$dir/munged.pid" \
    --log-file="$dir/munged.log" --seed-file="$dir/munged.seed"
slurmctld
slurmd -N n1
slurmd -N n2
for _ in $(seq 300); do
    [ "$(sinfo --noheader --Node --partition=low --format=%T 2> /dev/null | grep -cx idle)" = 2 ] && exit
    sleep 0.1
done
echo "no cluster after 30 s:" >&2
tail -n 20 "$dir"/*.log >&2
stop
exit 1
