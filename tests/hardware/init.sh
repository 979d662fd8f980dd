#!/bin/busybox sh
# The first process of the machine that QEMU emulates: loads KVM, runs the scenarios that /batch names, one
# after the other, and powers off. What the host reads goes to the second serial port: run.py, records().
# shellcheck shell=dash
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs dev /dev
exec 3>/dev/ttyS1 </dev/null >/dev/console 2>&1
busybox stty -F /dev/ttyS1 -opost
for module in irqbypass ccp kvm kvm-amd; do
  [ ! -e "/modules/$module.ko" ] || busybox insmod "/modules/$module.ko"
done
[ -c /dev/kvm ] || echo "@ broken no /dev/kvm: the modules did not load" >&3
set --
while read -r argument; do
  set -- "$@" "$argument"
done </arguments
while read -r name; do
  echo "@ begin $name" >&3
  : >/result.json
  busybox timeout -s KILL 60 /lab/vmm suite "/configs/$name.toml" --json /result.json "$@"
  status=$?
  busybox cat /result.json >&3
  echo "@ end $name $status" >&3
done </batch
echo "@ over" >&3
busybox poweroff -f
