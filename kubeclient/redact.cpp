#include "kubeclient/redact.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "kubeclient/json.hpp"

namespace kubeclient {
namespace {

// Lower case, without separators.
constexpr std::array<std::string_view, 14> kSensitiveWords{
    "token",         "password",
    "passwd",        "secret",
    "privatekey",    "clientkey",
    "apikey",        "tlskey",
    "authorization", "cookie",
    "credential",    "userdata",
    "networkdata",   "lastappliedconfiguration"};

std::string plain(std::string_view name) {
    std::string result;
    for (const char c : name) {
        if (c >= 'A' && c <= 'Z') {
            result += static_cast<char>(c | 0x20);
        } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            result += c;
        }
    }
    return result;
}

bool has_web_token(std::string_view text) {
    for (auto at = text.find("eyJ"); at != std::string_view::npos; at = text.find("eyJ", at + 1)) {
        const auto end = std::find_if_not(
            text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), [](unsigned char c) {
                return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '_' || c == '.';
            });
        if (std::count(text.begin() + static_cast<std::ptrdiff_t>(at), end, '.') >= 2) return true;
    }
    return false;
}

// https://user:password@host
bool has_url_password(std::string_view text) {
    for (auto at = text.find("://"); at != std::string_view::npos; at = text.find("://", at + 3)) {
        const auto authority = text.substr(at + 3, text.find_first_of("/ ?#", at + 3) - at - 3);
        const auto user = authority.substr(0, authority.rfind('@'));
        if (user.size() < authority.size() && user.find(':') != std::string_view::npos) return true;
    }
    return false;
}

// "--password=x", "token: x", "Bearer x"
bool has_assignment(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c); });
    for (const std::string_view word : {"password", "passwd", "token", "secret", "apikey"}) {
        for (auto at = lower.find(word); at != std::string::npos; at = lower.find(word, at + 1)) {
            const auto next = lower.find_first_not_of("\"' ", at + word.size());
            if (next != std::string::npos && (lower[next] == '=' || lower[next] == ':'))
                return true;
        }
    }
    return lower.starts_with("bearer ") || lower.starts_with("basic ");
}

void mask(Json& value) {
    if (!value.is_null() && !value.is_boolean()) value = kMasked;
}

// The name given by a sibling: {"name": "DB_PASSWORD", "value": "…"}.
bool named_sensitive(const Json& object) {
    const auto name = text_at(object, {"name"});
    return name && is_sensitive(*name);
}

enum class Inside { secret, other };

void redact(Json& value, Inside inside);

void redact_members(Json& object, Inside inside) {
    const auto kind = text_at(object, {"kind"}).value_or("");
    if (kind == "Secret" || kind == "SecretList" || kind == "ConfigMap" ||
        kind == "ConfigMapList") {
        inside = Inside::secret;
    }
    const bool value_is_secret = named_sensitive(object);
    for (auto member = object.begin(); member != object.end(); ++member) {
        const std::string& name = member.key();
        Json& value = member.value();
        const bool data = inside == Inside::secret &&
                          (name == "data" || name == "stringData" || name == "binaryData");
        if (data && value.is_object()) {
            for (auto& entry : value) mask(entry);
        } else if (data || (value_is_secret && name == "value")) {
            mask(value);
        } else if (is_sensitive(name) && !value.is_object() && !value.is_boolean()) {
            mask(value);
        } else {
            redact(value, inside);
        }
    }
}

void redact(Json& value, Inside inside) {
    if (value.is_object()) {
        redact_members(value, inside);
    } else if (value.is_array()) {
        bool flag_before = false;  // ["--token", "x"]
        for (auto& element : value) {
            const bool text = element.is_string();
            const std::string flag = text ? element.get<std::string>() : "";
            if (text && flag_before) mask(element);
            flag_before = flag.starts_with('-') && is_sensitive(flag);
            redact(element, inside);
        }
    } else if (value.is_string() && looks_secret(value.get_ref<const std::string&>())) {
        mask(value);
    } else if (value.is_string() && value.get_ref<const std::string&>().starts_with('{')) {
        value = redacted_body(value.get_ref<const std::string&>());
    }
}

}  // namespace

bool looks_secret(std::string_view text) {
    return text.find("PRIVATE KEY-----") != std::string_view::npos || has_web_token(text) ||
           has_url_password(text) || has_assignment(text);
}

bool is_sensitive(std::string_view name) {
    const std::string word = plain(name);
    // secretName, tokenRef: where a secret is, not what it is.
    if (word.ends_with("name") || word.ends_with("ref")) return false;
    return std::any_of(kSensitiveWords.begin(), kSensitiveWords.end(),
                       [&](std::string_view part) { return word.find(part) != std::string::npos; });
}

std::string redacted_body(const std::string& body) {
    auto json = parse_json(body, "body");
    if (!json.ok() || !(json->is_object() || json->is_array())) {
        return "<" + std::to_string(body.size()) + " bytes, no JSON: not shown>";
    }
    redact(*json, Inside::other);
    return to_line(*json);
}

}  // namespace kubeclient
