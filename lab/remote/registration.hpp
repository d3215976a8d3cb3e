// What tells an API server to ask us: webhooks by URL, and virt-api's aggregated API through a
// Service that names this machine. Endpoints and node proxies refuse loopback addresses, these do
// not.
#pragma once

#include <string>
#include <vector>

#include "kubeclient/api.hpp"

namespace lab {

inline constexpr const char* kMutatingPath = "/mutate";
inline constexpr const char* kValidatingPath = "/validate";

// The names that a server's certificate must have, as openssl.cnf writes subjectAltName.
inline constexpr const char* kVirtApiNames = "DNS:virt-api.kubevirt.svc,DNS:localhost,IP:127.0.0.1";

// `authority`: PEM, that of the certificate.
std::vector<kubeclient::Json> registrations(int port, const std::string& authority);

// Creates them, or replaces those of an earlier run. The namespace kubevirt must be there.
kubeclient::Status register_all(kubeclient::Api& api,
                                const std::vector<kubeclient::Json>& registrations);

}  // namespace lab
