// Result<T>: what every function that can fail returns. Values only, no exceptions, safe to move
// between threads. Third-party exceptions are turned into an Error in the file that wraps the
// library.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace kubeclient {

// Callers branch on the kind; people read the message. The set is closed.
enum class ErrorKind {
    usage,            // the user's words: flag, name, id
    config,           // kubeconfig, credentials, certificates, files on disk
    transport,        // no connection, or a broken one
    timeout,          // our deadline passed
    auth,             // 401
    forbidden,        // 403
    not_found,        // 404 for one object: it does not exist; or a file that is not there
    not_served,       // 404 for a path: the server does not have this kind at all
    conflict,         // 409, 410 (a version that is gone), a failed precondition
    invalid,          // 400, 405, 406, 413, 415, 422: the request was refused as it stands
    throttled,        // 429
    server,           // 5xx
    protocol,         // a reply, or a document, that cannot be understood
    canceled,         // interrupted by the user
    unknown_outcome,  // a write whose effect is not known: read before anything else
};

struct Error {
    ErrorKind kind = ErrorKind::protocol;
    std::string message{};  // lower case start, no full stop, names the object
    std::string hint{};     // the next command or what to look at; may be empty
    int http_status = 0;    // 0 when no reply was received
    std::string reason{};   // the server's own word: "AlreadyExists", "Expired"; may be empty
    int retry_after = 0;    // seconds the server asks to wait; 0 when it does not say

    bool operator==(const Error&) const = default;
};

struct Done {
    bool operator==(const Done&) const = default;
};

template <class T>
class [[nodiscard]] Result {
public:
    // Implicit on purpose: `return value;` and `return Error{...};` both read well.
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const { return state_.index() == 0; }
    explicit operator bool() const { return ok(); }

    T& value() & {
        assert(ok());
        return *std::get_if<0>(&state_);
    }
    const T& value() const& {
        assert(ok());
        return *std::get_if<0>(&state_);
    }
    T&& value() && {
        assert(ok());
        return std::move(*std::get_if<0>(&state_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    const Error& error() const {
        assert(!ok());
        return *std::get_if<1>(&state_);
    }

    // Puts where it happened in front of what happened: "reading nodes: connection refused".
    Result within(const std::string& where) && {
        if (auto* error = std::get_if<1>(&state_)) error->message = where + ": " + error->message;
        return std::move(*this);
    }

    bool operator==(const Result&) const = default;

private:
    std::variant<T, Error> state_;
};

using Status = Result<Done>;

}  // namespace kubeclient

// TRY(expression): leaves the function with the error, if any.
// TRY_ASSIGN(name, expression): the same, and else declares `name` as the value.
#define HANDOFF_JOIN_(a, b) a##b
#define HANDOFF_JOIN(a, b) HANDOFF_JOIN_(a, b)
#define TRY(expression)                                     \
    do {                                                    \
        if (auto outcome_ = (expression); !outcome_.ok()) { \
            return outcome_.error();                        \
        }                                                   \
    } while (false)
#define TRY_ASSIGN(name, expression)                     \
    auto HANDOFF_JOIN(result_, __LINE__) = (expression); \
    if (!HANDOFF_JOIN(result_, __LINE__).ok()) {         \
        return HANDOFF_JOIN(result_, __LINE__).error();  \
    }                                                    \
    auto name = std::move(HANDOFF_JOIN(result_, __LINE__)).value()
