// Reading an object field by field, strictly: an absent or null field is absent, a field of another
// type than the API has is a problem, and the first problem is kept with its path. So a decoder
// reads straight on and asks once at the end whether all was well. Not thread-safe; short-lived.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "facts/selectors.hpp"
#include "kubeclient/json.hpp"

namespace preflight {

class Fields {
public:
    // `problem` stays empty while all is well; it and `object` must outlive this value.
    Fields(const kubeclient::Json& object, std::string path, std::string& problem);

    bool sound() const { return problem_->empty(); }
    bool has(std::string_view key) const;  // present and not null
    std::string text(std::string_view key) const;
    std::optional<std::string> maybe_text(std::string_view key) const;
    bool flag(std::string_view key) const;
    std::optional<bool> maybe_flag(std::string_view key) const;
    std::optional<std::int64_t> maybe_integer(std::string_view key) const;
    // A quantity: whole bytes or units, rounded up; or thousandths, at most the largest number.
    std::optional<std::int64_t> maybe_bytes(std::string_view key) const;
    std::optional<std::int64_t> maybe_milli(std::string_view key) const;
    std::optional<std::chrono::sys_seconds> maybe_time(std::string_view key) const;  // RFC 3339
    Fields at(std::string_view key) const;
    std::vector<Fields> list(std::string_view key) const;
    std::vector<std::string> texts(std::string_view key) const;
    facts::Labels labels(std::string_view key) const;
    // The keys of this object whose values are not null, in alphabetical order.
    std::vector<std::string> keys() const;

private:
    const kubeclient::Json* member(std::string_view key) const;
    const kubeclient::Json* array(std::string_view key) const;  // nullptr, or an array
    void expected(std::string_view key, std::string_view what) const;
    std::optional<std::string> quantity(std::string_view key) const;
    std::string path_of(std::string_view key) const;

    const kubeclient::Json* object_;
    std::string path_;
    std::string* problem_;
};

}  // namespace preflight
