#pragma once

#include <cstdint>
#include <string>

#include "kubeclient/result.hpp"

namespace kubeclient {

// What a request carries to say who sends it.
struct Credential {
    std::string authorization{};       // whole header value, may be empty
    std::string client_certificate{};  // PEM
    std::string client_key{};          // PEM
    std::uint64_t generation = 0;      // changes with the certificate: open connections must go
};

// Thread-safe. One refresh at a time.
class CredentialSource {
public:
    virtual ~CredentialSource() = default;
    virtual Result<Credential> current() = 0;
    // The server answered 401: the next current() reads or runs again.
    virtual void rejected(std::uint64_t generation) = 0;
};

}  // namespace kubeclient
