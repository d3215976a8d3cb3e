// What the verbs work on. Private to lab/api.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "lab/api/api_server.hpp"
#include "lab/api/kinds.hpp"
#include "lab/api/route.hpp"
#include "lab/api/status.hpp"

namespace lab {

// uids and the letters behind a generateName; the same seed gives the same ones.
class Names {
public:
    explicit Names(std::uint64_t seed) : random_(seed) {}
    std::string uid();
    // Five characters. Source: apimachinery pkg/util/rand.
    std::string suffix();

private:
    std::mt19937_64 random_;
};

struct DeletionOptions;
struct Listing;

struct ServerState {
    Store& store;
    ApiServer::Clock clock;
    Names names;
    Kinds kinds{};
    std::vector<Extension*> extensions{};
    Authorizer authorizer{};
};

// One request, understood.
struct Call {
    const User& user;
    const kubeclient::Request& request;
    const Kind& kind;
    const KindVersion& version;
    ObjectKey key{};  // an empty name: the collection
    std::string subresource{};
    bool dry_run = false;
};

// A reply of one object, as stored, or a Status.
struct Reply {
    int status = 200;
    Object body{};
    std::vector<std::string> warnings{};
};

std::string now_text(const ServerState& state);

// Everything that is stored goes through these two: they keep what is derived from objects (the
// kinds that definitions add) up to date.
Object store_object(ServerState& state, const Kind& kind, const ObjectKey& key, Json object);
Object remove_object(ServerState& state, const Kind& kind, const ObjectKey& key);

// The verbs.
Outcome<Reply> get_object(const ServerState& state, const Call& call);
Outcome<Reply> create_object(ServerState& state, const Call& call);
Outcome<Reply> update_object(ServerState& state, const Call& call);
Outcome<Reply> patch_object(ServerState& state, const Call& call);

enum class AskAdmission { yes, no };
Outcome<Reply> delete_object(ServerState& state, const Call& call, const DeletionOptions& options,
                             AskAdmission ask = AskAdmission::yes);
// Those that match the query, as they were.
Outcome<Listing> delete_collection(ServerState& state, const Call& call);

}  // namespace lab
