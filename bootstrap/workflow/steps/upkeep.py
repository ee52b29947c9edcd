"""Ask a node what is done on it, and set right what time alone makes wrong."""

from datetime import datetime

from bootstrap.errors import BootstrapError
from bootstrap.model.cluster import Domain
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.planning.node_files import INIT_CONFIG
from bootstrap.waiting import NotYet
from bootstrap.workflow.environment import Ports

_QUESTION_TIMEOUT_S = 30
_RENEWAL_TIMEOUT_S = 60
_WAS_OFF, _ENDS_SOON = "clock-was-off", "certificates-end-soon"
#: A clock that is off by more than a few seconds is set. The machine's hardware clock is the
#: host's: unlike a time in this text it is right however long the connection takes.
_SET_CLOCK = (
    "read -r now </sys/class/rtc/rtc0/since_epoch; off=$((now - $(date +%s))); "
    f"if [ ${{off#-}} -gt 5 ]; then date -s @$now >&2; echo {_WAS_OFF}; fi; "
)
#: kubeadm makes all certificates of a control plane at one time, for a year.
_CERTIFICATE = "/etc/kubernetes/pki/apiserver.crt"
_ASK_END = (
    f"[ ! -e {_CERTIFICATE} ] || openssl x509 -noout -checkend {30 * 24 * 3600} "
    f"-in {_CERTIFICATE} >&2 || echo {_ENDS_SOON}; "
)
#: Of what the node shows to others, what ends first; in ISO 8601.
CERTIFICATES_END = (
    f"for file in {_CERTIFICATE} /var/lib/kubelet/pki/kubelet-client-current.pem; do "
    '[ ! -e $file ] || date -u -d "$(openssl x509 -noout -enddate -in $file | cut -d= -f2)" '
    "+%FT%T+00:00; done | sort | head -n 1"
)
#: What the node remembers: the digest of its files, and which parts of kubeadm are done.
_ASK_DONE = "cat /var/lib/bootstrap/files; ls /var/lib/bootstrap"
#: The kubelet starts again what was killed, which then reads the new certificates.
_RENEW = (
    f"kubeadm certs renew all --config {INIT_CONFIG} && "
    "pkill -f '^(etcd|kube-apiserver|kube-controller-manager|kube-scheduler) '"
)


def ask_node(plan: ClusterPlan, node: NodePlan, ports: Ports) -> frozenset[str]:
    """Return what the node remembers; nothing if it does not answer.

    One question does all of it, since a connection costs seconds under emulation: the clock is
    set if it is wrong, and certificates that end within 30 days are renewed.
    """
    question = _SET_CLOCK + (_ASK_END if node.is_control_plane else "")
    try:
        answer = ports.shell.run(
            node, question + _ASK_DONE, timeout_s=_QUESTION_TIMEOUT_S * plan.patience
        )
    except (NotYet, BootstrapError):
        return frozenset()  # Ansible will say what is wrong
    words = frozenset(answer.stdout.split())
    if _WAS_OFF in words:
        ports.events.note(f"The clock of node '{node.name}' was wrong; it is set.")
    if _ENDS_SOON in words:
        _renew_certificates(plan, node, ports)
    return words


def certificates_end(node: Domain, ports: Ports) -> datetime | None:
    """Return when the first of a running node's certificates ends; None if it does not say."""
    answer = ports.shell.run(node, CERTIFICATES_END, timeout_s=_QUESTION_TIMEOUT_S * node.patience)
    try:
        return datetime.fromisoformat(answer.stdout.strip())
    except ValueError:
        return None


def _renew_certificates(plan: ClusterPlan, node: NodePlan, ports: Ports) -> None:
    answer = ports.shell.run(node, _RENEW, timeout_s=_RENEWAL_TIMEOUT_S * plan.patience)
    if answer.exit_status != 0:
        raise BootstrapError(
            f"The certificates of node '{node.name}' end within 30 days and could not be renewed.",
            details=answer.stderr or answer.stdout,
            hint=f"bootstrap ssh {plan.name} {node.name} -- sudo kubeadm certs check-expiration",
        )
    ports.events.note(f"The certificates of node '{node.name}' ended soon; they are renewed.")
