// The certificate authorities this machine trusts.
#pragma once

#include <string>

#include "kubeclient/system.hpp"

namespace kubeclient {

// PEM text, empty when there are none. SSL_CERT_FILE and SSL_CERT_DIR (a list; the folders need not
// be hashed) replace the places where distributions keep them.
//
// Source: Go crypto/x509/root_unix.go and root_linux.go.
std::string system_authorities(const System& system);

}  // namespace kubeclient
