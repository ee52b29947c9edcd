"""Read until when the certificates on both ends are valid."""

import socket
import ssl
from datetime import datetime
from urllib.parse import urlsplit

from cryptography import x509

from bootstrap.adapters.kubernetes.access import Access
from bootstrap.adapters.kubernetes.failures import RefusedError, UnansweredError
from bootstrap.ports import CertificateExpiry

# X509_V_FLAG_NO_CHECK_TIME: the date of a certificate that has expired is the very
# thing asked for. Issuer and name are verified as ever.
_IGNORE_TIME = ssl.VerifyFlags(0x200000)


def read_expiry(access: Access, *, timeout_s: float) -> CertificateExpiry:
    """Give both dates; sends no client certificate and no request."""
    try:
        client = x509.load_pem_x509_certificate(access.certificate).not_valid_after_utc
    except ValueError as error:
        raise RefusedError("the kubeconfig's client certificate is damaged") from error
    return CertificateExpiry(client=client, server=_server_expiry(access, timeout_s))


def _server_expiry(access: Access, timeout_s: float) -> datetime:
    url = urlsplit(access.server)
    host = url.hostname or ""
    try:
        with (
            socket.create_connection((host, url.port or 443), timeout=timeout_s) as plain,
            _context(access.ca).wrap_socket(
                plain, server_hostname=access.tls_server_name or host
            ) as secure,
        ):
            certificate = secure.getpeercert(binary_form=True)
    except ssl.SSLCertVerificationError as error:
        raise RefusedError(f"the server's certificate: {error.verify_message}") from error
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        raise UnansweredError("the connection was cut") from error
    except ssl.SSLError as error:
        raise RefusedError(f"no TLS with the server, or a damaged CA: {error.reason}") from error
    except OSError as error:
        raise UnansweredError(f"no connection to {access.server}: {error}") from error
    return x509.load_der_x509_certificate(certificate or b"").not_valid_after_utc


def _context(ca: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca)
    context.verify_flags |= _IGNORE_TIME
    return context
