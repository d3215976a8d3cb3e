// Refusals as the API server words them, and replies. Sources: apimachinery
// pkg/api/errors/errors.go, apiserver pkg/registry/rest.
#pragma once

#include <cassert>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "kubeclient/result.hpp"
#include "kubeclient/transport.hpp"
#include "lab/api/api_server.hpp"
#include "lab/api/kinds.hpp"

namespace lab {

// A value or why there is none. As kubeclient::Result, whose TRY and TRY_ASSIGN it goes with.
template <class T>
class [[nodiscard]] Outcome {
public:
    Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Outcome(Refusal refusal) : state_(std::in_place_index<1>, std::move(refusal)) {}

    bool ok() const { return state_.index() == 0; }
    const T& value() const& {
        assert(ok());
        return *std::get_if<0>(&state_);
    }
    T&& value() && {
        assert(ok());
        return std::move(*std::get_if<0>(&state_));
    }
    const Refusal& error() const {
        assert(!ok());
        return *std::get_if<1>(&state_);
    }

private:
    std::variant<T, Refusal> state_;
};

using Verdict = Outcome<kubeclient::Done>;
inline Verdict allowed() {
    return kubeclient::Done{};
}

Refusal not_found(const Kind& kind, const std::string& name);
Refusal already_exists(const Kind& kind, const std::string& name);
// "Operation cannot be fulfilled on …: WHY".
Refusal conflict(const Kind& kind, const std::string& name, const std::string& why);
Refusal modified_meanwhile(const Kind& kind, const std::string& name);
// "… is forbidden: WHY".
Refusal forbidden(const Kind& kind, const std::string& name, const std::string& why);
Refusal bad_request(const std::string& message);
// "VirtualMachine.kubevirt.io "web" is invalid: FIELD: MESSAGE" with one cause for each field.
Refusal invalid(const Kind& kind, const std::string& name, std::vector<Cause> causes);
// The same about what was asked for: "ListOptions", "DeleteOptions", ….
Refusal invalid_options(const std::string& options, std::vector<Cause> causes);
// client-go's sentence for a path below a group that is served.
Refusal no_such_resource();
Refusal method_not_allowed();
// 500 without a reason.
Refusal internal(const std::string& message);
// 410 with reason Expired.
Refusal expired(const std::string& message);
// 504: a version that is still to come.
Refusal too_large_version(std::uint64_t asked, std::uint64_t newest);
// A resourceVersion; "" is 0. The refusal begins with `prefix`.
Outcome<std::uint64_t> revision_of(const std::string& text, const std::string& prefix);
Refusal unsupported_media_type(const std::vector<std::string>& supported);
// A path that is not served at all.
kubeclient::Response page_not_found();

Json to_status(const Refusal& refusal);
kubeclient::Response reply(const Refusal& refusal);
kubeclient::Response reply(int status, const Json& body);
kubeclient::Response reply_text(int status, std::string body);  // JSON, already written

}  // namespace lab
