#include "lab/api/list.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/base64.hpp"

namespace lab {

namespace {

constexpr const char* kTokenVersion = "meta.k8s.io/v1";

// Where the next page starts, and of which revision it is; a negative one: of the newest.
struct Token {
    std::int64_t revision = -1;
    std::string start{};
};

std::string key_text(const ObjectKey& key) {
    return key.ns.empty() ? key.name : key.ns + "/" + key.name;
}

std::string encoded(const Token& token) {
    const Json json{{"v", kTokenVersion}, {"rv", token.revision}, {"start", token.start}};
    std::string text = kubeclient::encode_base64(json.dump());
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    text.erase(std::find(text.begin(), text.end(), '='), text.end());
    return text;
}

Refusal invalid_token(const std::string& why) {
    return bad_request("invalid continue token: continue key is not valid: " + why);
}

Outcome<Token> decoded(std::string text) {
    std::replace(text.begin(), text.end(), '-', '+');
    std::replace(text.begin(), text.end(), '_', '/');
    text.append((4 - text.size() % 4) % 4, '=');
    const auto bytes = kubeclient::decode_base64(text);
    if (!bytes.ok()) return invalid_token("illegal base64 data");
    const auto json = kubeclient::parse_json(bytes.value(), "token");
    if (!json.ok()) return invalid_token("invalid character");
    const auto version = kubeclient::text_at(json.value(), {"v"}).value_or("");
    if (version != kTokenVersion) {
        return invalid_token("server does not recognize this encoded version " + version);
    }
    return Token{kubeclient::integer_at(json.value(), {"rv"}).value_or(0),
                 kubeclient::text_at(json.value(), {"start"}).value_or("")};
}

Refusal expired_token(const Token& token) {
    Refusal refusal = expired(
        "The provided continue parameter is too old to display a consistent list result. You can "
        "start a new list without the continue parameter, or use the continue token in this "
        "response to retrieve the remainder of the results. Continuing with the provided token "
        "results in an inconsistent list - objects that were created, modified, or deleted "
        "between the time the first chunk was returned and now may show up in the list.");
    refusal.continue_token = encoded({-1, token.start});
    return refusal;
}

// Which revision is listed, and from which key on.
struct Start {
    std::uint64_t revision = 0;
    bool exactly = false;
    std::string key{};
};

Outcome<Start> start_of(const ServerState& state, const ListQuery& query) {
    const std::uint64_t newest = state.store.revision();
    if (!query.continue_token.empty()) {
        TRY_ASSIGN(token, decoded(query.continue_token));
        if (!query.resource_version.empty() && query.resource_version != "0") {
            return bad_request("specifying resource version is not allowed when using continue");
        }
        if (token.revision < 0) return Start{newest, false, token.start};
        return Start{static_cast<std::uint64_t>(token.revision), true, token.start};
    }
    TRY_ASSIGN(revision, revision_of(query.resource_version, "invalid resource version: "));
    if (revision > newest) return too_large_version(revision, newest);
    const bool exactly = query.resource_version_match == "Exact" ||
                         (query.limit > 0 && revision > 0 && query.resource_version_match.empty());
    return exactly ? Start{revision, true, ""} : Start{newest, false, ""};
}

// Fills a page from `objects`, which are in order.
Listing page_of(const std::vector<std::pair<ObjectKey, Object>>& objects, const ListQuery& query,
                const Start& start, std::size_t limit) {
    Listing page;
    page.revision = start.revision;
    auto left = static_cast<std::int64_t>(objects.size());
    for (const auto& [key, object] : objects) {
        --left;
        if (!start.key.empty() && key_text(key) + '\0' <= start.key) continue;
        if (!matches(query.selector, *object)) continue;
        if (limit > 0 && page.items.size() == limit) {
            const auto last = kubeclient::text_at(*page.items.back(), {"metadata", "name"});
            const auto ns = kubeclient::text_at(*page.items.back(), {"metadata", "namespace"});
            page.continue_token = encoded({static_cast<std::int64_t>(start.revision),
                                           key_text({ns.value_or(""), last.value_or("")}) + '\0'});
            if (query.selector.empty()) page.remaining = left + 1;
            break;
        }
        page.items.push_back(object);
    }
    return page;
}

}  // namespace

std::vector<std::pair<ObjectKey, Object>> in_key_order(const Store::Objects& objects,
                                                       const std::string& ns) {
    std::vector<std::pair<ObjectKey, Object>> chosen;
    auto from = ns.empty() ? objects.begin() : objects.lower_bound({ns, ""});
    for (; from != objects.end() && (ns.empty() || from->first.ns == ns); ++from) {
        chosen.emplace_back(*from);
    }
    // "a-b/x" comes before "a/x" there.
    const auto by_text = [](const auto& left, const auto& right) {
        if (left.first.ns == right.first.ns) return left.first.name < right.first.name;
        return left.first.ns + "/" < right.first.ns + "/";
    };
    if (!std::is_sorted(chosen.begin(), chosen.end(), by_text)) {
        std::sort(chosen.begin(), chosen.end(), by_text);
    }
    return chosen;
}

std::optional<Store::Objects> as_of(const Store& store, const ResourceId& resource,
                                    std::uint64_t revision) {
    const auto changes = store.since(revision, static_cast<std::size_t>(-1) / 2);
    if (!changes) return std::nullopt;
    Store::Objects objects = store.all(resource);
    for (auto change = changes->rbegin(); change != changes->rend(); ++change) {
        if (change->resource != resource) continue;
        if (change->before) {
            objects[change->key] = change->before;
        } else {
            objects.erase(change->key);
        }
    }
    return objects;
}

Outcome<Listing> list_objects(const ServerState& state, const Call& call) {
    TRY_ASSIGN(query, list_query(call, ListPurpose::list));
    TRY_ASSIGN(start, start_of(state, query));
    // Answers from memory (resourceVersion=0) come in one piece.
    const auto limit = query.resource_version == "0" ? 0 : static_cast<std::size_t>(query.limit);
    const bool old = start.exactly && start.revision < state.store.revision();
    if (!old) {
        const auto& objects = state.store.all(call.kind.resource);
        return page_of(in_key_order(objects, call.key.ns), query, start, limit);
    }
    const auto objects = as_of(state.store, call.kind.resource, start.revision);
    if (!objects) {
        if (query.continue_token.empty()) {
            return expired("The resourceVersion for the provided list is too old.");
        }
        TRY_ASSIGN(token, decoded(query.continue_token));
        return expired_token(token);
    }
    return page_of(in_key_order(*objects, call.key.ns), query, start, limit);
}

}  // namespace lab
