#!/bin/sh
# Install what the tool needs on a Debian machine, then run one of its commands.
#
#   ./setup.sh            only install, into .venv
#   ./setup.sh up [...]   install, then `bootstrap up [...]`
#   ./setup.sh test       install, then every linter and every test
#
# Run it as root or as a user with sudo; the tool itself then needs neither.
set -eu
cd "$(dirname "$0")"

runtime=$(sed -n 's/^[a-z][a-z]* //p' bootstrap/debian-packages.txt)
development="git make shellcheck iproute2 zsh fish man-db mandoc"

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

missing() {
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
      printf '%s ' "$package"
  done
}

install_packages() {
  # shellcheck disable=SC2048,SC2086 # a list of words is meant
  packages=$(missing $*)
  # shellcheck disable=SC2016 # apt reads this, not the shell
  if [ -n "$packages" ]; then
    as_root apt-get update -q
    # shellcheck disable=SC2086 # a list of words is meant
    as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -qy --no-install-recommends $packages
  elif [ -z "$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null)" ]; then
    as_root apt-get update -q
  fi
}

install_tool() {
  # Debian's own Python: its headers are the ones that the package above brought.
  [ -x .venv/bin/python ] || /usr/bin/python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable "$1"
}

# A container's first process often leaves the dead unburied, and libvirt waits for each of
# its own to vanish: seconds for every probe of QEMU. So tini does it.
start_daemon() {
  # Other users may run one of their own; only the system's leaves its number here.
  if ! grep -qx "$1" "/proc/$(cat "/run/$1.pid" 2>/dev/null)/comm" 2>/dev/null; then
    setsid tini -s -- "/usr/sbin/$1" </dev/null >/dev/null 2>&1 &
  fi
}

# Asked and not looked for: the socket of a daemon that was killed stays.
libvirt_answers() {
  .venv/bin/python -c 'import libvirt; libvirt.open("qemu:///system")' 2>/dev/null
}

start_libvirt() {
  # Only for root, and only where no service manager does it. The configuration and
  # libvirt's own network stay as they are; nothing is stopped afterwards.
  [ "$(id -u)" -eq 0 ] || return 0
  [ -d /run/systemd/system ] && return 0
  install_packages "tini"
  start_daemon virtlogd
  start_daemon libvirtd
  tries=0
  until libvirt_answers || [ $tries -ge 30 ]; do
    tries=$((tries + 1))
    sleep 1
  done
}

command=${1:-}
case $command in
  test)
    install_packages "$runtime $development"
    install_tool '.[dev]'
    ;;
  *)
    install_packages "$runtime"
    install_tool .
    ;;
esac
start_libvirt

case $command in
  '') echo 'ready: .venv/bin/bootstrap up' ;;
  test) exec make test ;;
  *) exec .venv/bin/bootstrap "$@" ;;
esac
