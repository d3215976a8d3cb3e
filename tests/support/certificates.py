"""A certificate authority of our own, made with the openssl command, for servers on 127.0.0.1."""
import subprocess

# Written out, so that nothing depends on the machine's openssl.cnf.
CONFIG = """
[req]
distinguished_name = names
[names]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, digitalSignature
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1, DNS:localhost
authorityKeyIdentifier = keyid
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid
"""


class Authority:
    """Files NAME.crt and NAME.key in `folder`, the authority's own as ca.crt and ca.key."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(mode=0o700)
        (folder / "openssl.cnf").write_text(CONFIG, encoding="utf-8")
        self.make("ca", "/CN=virt-handoff tests", "authority")

    def make(self, name, subject, section):
        command = ["openssl", "req", "-x509", "-config", "openssl.cnf", "-extensions", section,
                   "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                   "-days", "30", "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.crt"]
        if name != "ca":
            command += ["-CA", "ca.crt", "-CAkey", "ca.key"]
        subprocess.run(command, cwd=self.folder, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return self.certificate(name), self.key(name)

    def certificate(self, name):
        return self.folder / f"{name}.crt"

    def key(self, name):
        return self.folder / f"{name}.key"
